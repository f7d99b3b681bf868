//! Papers of a consignment: an original of one page, and what the public may see of one.

use std::{fmt::Write, io::Cursor};

use image::{ImageFormat, Rgb, RgbImage};

use crate::registration::{Consignment, Country, Document, DocumentKind, DocumentOf, Paper};
use crate::trace::{DocumentId, OrganizationId};

/// The documents of a consignment, without files.
pub fn documents(consignment: &Consignment, of: DocumentOf) -> Vec<Document> {
    let document = |kind: DocumentKind, paper: Paper| Document {
        id: DocumentId(0),
        organization: OrganizationId(0),
        of,
        kind,
        number: paper.number,
        issuer: paper.issuer,
        date: paper.date,
        original: None,
        public: None,
        created_ms: 0,
    };
    let customs = consignment.quarantine_certificate.as_ref().and_then(|paper| paper.issuer.clone());
    let declaration = consignment.declaration.as_ref().map(|declaration| Paper {
        number: declaration.to_string(),
        issuer: customs,
        date: consignment.entry_date,
    });
    let release = consignment.supervision.as_ref().and_then(|stay| {
        let (issuer, date) = (Some(stay.warehouse.clone()), stay.release_date);
        Some(Paper { number: stay.release_number.clone()?, issuer, date })
    });
    [
        (DocumentKind::CustomsDeclaration, declaration),
        (DocumentKind::QuarantineCertificate, consignment.quarantine_certificate.clone()),
        (DocumentKind::OriginCertificate, consignment.origin_certificate.clone()),
        (DocumentKind::SupervisionRelease, release),
    ]
    .into_iter()
    .filter_map(|(kind, paper)| Some(document(kind, paper?)))
    .collect()
}

/// A PDF of one page (ISO 32000-1) with the paper's facts in a font that every reader has; so in English only.
pub fn pdf(document: &Document, consignment: &Consignment) -> Vec<u8> {
    let date = |date: Option<jiff::civil::Date>| date.map(|date| date.to_string()).unwrap_or_default();
    let mut lines = vec![
        format!("No. {}", document.number),
        format!("Date of issue: {}", date(document.date)),
        format!("Country of origin: {}", consignment.origin.map(Country::name_en).unwrap_or_default()),
        format!("Date of entry: {}", date(consignment.entry_date)),
        format!("Transport document: {}", consignment.bill_of_lading.as_deref().unwrap_or_default()),
    ];
    lines.extend(consignment.containers.iter().map(|container| format!("Container: {container}")));
    lines.push("Specimen made by coldproof demo. No such goods exist.".to_owned());
    let mut page = format!("BT /F1 18 Tf 72 760 Td ({}) Tj /F1 11 Tf 0 -16 Td\n", escaped(document.kind.name_en()));
    for line in lines {
        let _ = writeln!(page, "0 -22 Td ({}) Tj", escaped(&line));
    }
    page.push_str("ET\n60 60 475 740 re S\n");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R \
         /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{page}endstream", page.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut file = "%PDF-1.4\n".to_owned();
    let mut offsets = Vec::new();
    for (object, number) in objects.iter().zip(1..) {
        offsets.push(file.len());
        let _ = write!(file, "{number} 0 obj\n{object}\nendobj\n");
    }
    let table = file.len();
    let _ = write!(file, "xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for offset in offsets {
        let _ = writeln!(file, "{offset:010} 00000 n ");
    }
    let _ = write!(file, "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n", objects.len() + 1);
    file.into_bytes()
}

/// A string of PDF: ASCII without its three special characters.
fn escaped(text: &str) -> String {
    text.chars().filter(|c| matches!(c, ' '..='~') && !matches!(c, '(' | ')' | '\\')).collect()
}

/// A picture of a certificate whose text is blotted out: lines as bars, a frame, a red seal.
///
/// # Errors
/// Where the encoder fails.
pub fn blotted_png() -> image::ImageResult<Vec<u8>> {
    let page = RgbImage::from_fn(420, 594, |x, y| {
        let framed =
            (24..396).contains(&x) && (24..570).contains(&y) && !((26..394).contains(&x) && (26..568).contains(&y));
        let (dx, dy) = (x as f32 - 306.0, y as f32 - 468.0);
        let from_seal = dx.hypot(dy);
        let heading = (60..76).contains(&y) && (120..300).contains(&x);
        let row = y.wrapping_sub(116) / 26;
        let in_row = y >= 116 && y.wrapping_sub(116) % 26 < 9 && row < 11;
        let line = in_row && (56..(360 - row * 37 % 120)).contains(&x) && !(150..164).contains(&x);
        if (44.0..49.0).contains(&from_seal) || from_seal < 11.0 {
            Rgb([204, 52, 48])
        } else if heading {
            Rgb([70, 76, 88])
        } else if line {
            Rgb([176, 182, 192])
        } else if framed {
            Rgb([150, 158, 172])
        } else {
            Rgb([251, 250, 246])
        }
    });
    let mut bytes = Cursor::new(Vec::new());
    page.write_to(&mut bytes, ImageFormat::Png)?;
    Ok(bytes.into_inner())
}
