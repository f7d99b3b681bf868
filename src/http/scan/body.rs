//! The JSON of one code's scan: what is kept of its view, sent as it is kept, between what is said of the code alone.

use std::{
    convert::Infallible,
    io::Write,
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};

use super::Figures;
use crate::{
    http::answer::timestamp,
    trace::{Notice, misuse::SOLD_SENTENCE},
};

/// What stands behind the middle at most, in bytes, notices apart.
const FIGURES_BYTES_MAX: usize = 128;

/// A body in three pieces. They go to the socket in one call, and none of them is copied on the way.
#[derive(Debug)]
pub(super) struct JsonBody([Bytes; 3]);

impl JsonBody {
    /// The whole answer for one code, from what [`Answer::middle`](super::Answer::middle) wrote.
    pub fn of(code: &[u8], middle: Bytes, figures: &Figures<'_>) -> Self {
        let before = [&b"{\"code\":\""[..], code, b"\","].concat();
        Self([before.into(), middle, after(figures).into()])
    }

    /// All of it in one.
    pub fn whole(&self) -> Vec<u8> {
        self.0.concat()
    }
}

fn after(figures: &Figures<'_>) -> Vec<u8> {
    let sum = figures.sum;
    let notice = figures.notice.map(Notice::sentence).or((figures.sold && sum.count > 0).then_some(SOLD_SENTENCE));
    let mut json = Vec::with_capacity(FIGURES_BYTES_MAX + notice.map_or(0, str::len));
    json.extend_from_slice(b",\"scans\":");
    if sum.count == 0 {
        json.extend_from_slice(b"{\"count\":0,\"first\":null}");
    } else {
        let first = timestamp(sum.first_ms);
        // Writing to a `Vec` does not fail.
        let _ = write!(json, "{{\"count\":{},\"first\":\"{first}\"", sum.count);
        let regions = sum.places.regions();
        if regions > 0 {
            let _ = write!(json, ",\"regions\":{regions}");
        }
        json.push(b'}');
    }
    json.extend_from_slice(b",\"notices\":[");
    if let Some(notice) = notice {
        // Sentences of ours have nothing in them that JSON would escape.
        json.push(b'"');
        json.extend_from_slice(notice.as_bytes());
        json.push(b'"');
    }
    json.extend_from_slice(b"]}");
    json
}

impl hyper::body::Body for JsonBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = self.get_mut().0.iter_mut().find(|piece| !piece.is_empty()).map(mem::take);
        Poll::Ready(next.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.iter().all(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.iter().map(|piece| piece.len() as u64).sum())
    }
}

impl From<JsonBody> for Body {
    fn from(pieces: JsonBody) -> Self {
        Self::new(pieces)
    }
}

#[cfg(test)]
mod tests {
    use hyper::body::Body as _;

    use super::*;
    use crate::trace::ScanSum;

    #[tokio::test]
    async fn the_pieces_are_one_json_text_of_the_length_that_was_said() {
        let mut sum = ScanSum::NONE;
        sum.scan(None, 1_700_000_000_000);
        for (sum, sold, says) in [
            (&ScanSum::NONE, false, r#"{"code":"C","a":1,"scans":{"count":0,"first":null},"notices":[]}"#.to_owned()),
            (
                &sum,
                true,
                format!(
                    r#"{{"code":"C","a":1,"scans":{{"count":1,"first":"2023-11-14T22:13:20Z"}},"notices":["{SOLD_SENTENCE}"]}}"#
                ),
            ),
        ] {
            let figures = Figures { sum, sold, ..Figures::NONE };
            let pieces = JsonBody::of(b"C", Bytes::from_static(br#""a":1"#), &figures);
            assert_eq!(pieces.whole(), says.as_bytes());
            assert_eq!((pieces.size_hint().exact(), pieces.is_end_stream()), (Some(says.len() as u64), false));
            assert_eq!(axum::body::to_bytes(Body::from(pieces), usize::MAX).await.unwrap(), says);
        }
    }
}
