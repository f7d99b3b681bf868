//! Pictures of symbols, read back by decoders that share nothing with the encoder.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic fails the test")]

use std::process::Command;

use coldproof::code::qr::{BulkSymbols, QrError, draw, png, svg};
use coldproof::code::{Code, LinkCase, LinkPrefix, LinkScheme};

/// Links of both cases, with the symbol that the service would print.
fn links() -> Vec<(String, coldproof::code::qr::Matrix)> {
    let code = Code::parse("000003ABCDEFGHJKMNPQ").unwrap();
    let gtin = "09506000134352".parse().ok();
    let prefix = |host: &str, case| LinkPrefix::new(LinkScheme::Https, &host.parse().unwrap(), gtin, case);
    let upper = ["cold.cn", "demo.coldproof.example"].map(|host| {
        let prefix = prefix(host, LinkCase::Upper);
        let symbols = BulkSymbols::new(&prefix).unwrap();
        let mut matrix = symbols.blank();
        symbols.draw(code, &mut matrix);
        (prefix.link(code), matrix)
    });
    let lower = prefix("demo.coldproof.example", LinkCase::Lower).link(code);
    let matrix = draw(&lower).unwrap();
    upper.into_iter().chain([(lower, matrix)]).collect()
}

fn decode(picture: image::GrayImage) -> String {
    let mut picture = rqrr::PreparedImage::prepare(picture);
    let grids = picture.detect_grids();
    assert_eq!(grids.len(), 1);
    grids[0].decode().unwrap().1
}

/// Fills the rectangles `Mx yhw...` of our own SVG, eight pixels a unit.
fn rasterize(svg: &str) -> image::GrayImage {
    let between = |open: &str, close: &str| svg.rsplit_once(open).unwrap().1.split_once(close).unwrap().0;
    let side: u32 = between("viewBox=\"0 0 ", " ").parse().unwrap();
    let mut picture = image::GrayImage::from_pixel(8 * side, 8 * side, image::Luma([255]));
    for rectangle in between("<path d=\"M", "z\"").split("zM") {
        let (x, rest) = rectangle.split_once(' ').unwrap();
        let (y, rest) = rest.split_once('h').unwrap();
        let width = rest.split_once("v1h-").unwrap().0;
        let [x, y, width]: [u32; 3] = [x, y, width].map(|number| number.parse().unwrap());
        for (column, row) in
            (8 * x..8 * (x + width)).flat_map(|column| (8 * y..8 * y + 8).map(move |row| (column, row)))
        {
            picture.put_pixel(column, row, image::Luma([0]));
        }
    }
    picture
}

#[test]
fn pngs_and_svgs_read_back_as_their_link() {
    for (link, matrix) in links() {
        for side in [matrix.side() + 8, 150, 512] {
            let file = png(&matrix, side).unwrap();
            let picture = image::load_from_memory(&file).unwrap().into_luma8();
            assert_eq!(picture.dimensions(), (side, side));
            if side > 100 {
                assert_eq!(decode(picture), link, "{side} pixels");
            }
        }
        assert_eq!(decode(rasterize(&svg(&matrix))), link);
    }
}

#[test]
fn zbar_reads_the_pngs() {
    if Command::new("zbarimg").arg("--version").output().is_err() {
        // CI installs it (package zbar-tools), so that its absence there is a mistake.
        assert!(std::env::var_os("CI").is_none(), "zbarimg is not on the PATH");
        eprintln!("skipped: zbarimg (package zbar-tools) is not on the PATH");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (link, matrix) in links() {
        let path = folder.path().join("symbol.png");
        std::fs::write(&path, png(&matrix, 300).unwrap()).unwrap();
        let read = Command::new("zbarimg").args(["--quiet", "--raw"]).arg(&path).output().unwrap();
        assert_eq!(String::from_utf8(read.stdout).unwrap().trim_end(), link);
    }
}

#[test]
fn a_picture_too_small_or_too_large_is_refused() {
    let (_, matrix) = links().remove(0);
    for found in [0, 36, 2_049, u32::MAX] {
        assert_eq!(png(&matrix, found), Err(QrError::Size { found, least: 37, most: 2_048 }));
    }
}
