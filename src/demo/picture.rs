//! Pictures of goods: a light silhouette on a coloured ground, drawn once a kind.

use std::{f32::consts::TAU, io::Cursor};

use image::{ImageFormat, Rgb, RgbImage};

const WIDTH: u32 = 480;
const HEIGHT: u32 = 360;
/// Samples of a pixel in each direction: smooth edges.
const SAMPLES: u32 = 3;

/// What a picture shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Motif {
    /// A curled shrimp.
    Shrimp,
    /// A fish.
    Fish,
    /// A crab.
    Crab,
    /// A squid.
    Squid,
    /// A cut of meat.
    Meat,
    /// A leg of poultry.
    Drumstick,
    /// A pat of butter.
    Butter,
    /// A carton of milk.
    Carton,
    /// A wedge of cheese.
    Cheese,
    /// A cone of ice cream.
    IceCream,
    /// Two cherries.
    Cherry,
    /// A durian.
    Durian,
}

type Point = (f32, f32);

/// How light a shape is against the ground: 0 is the ground, 1 paper.
#[derive(Clone, Copy)]
enum Tone {
    Light = 95,
    Half = 72,
    Deep = 30,
}

enum Outline {
    /// Centre, radii, turn in turns.
    Ellipse(Point, Point, f32),
    /// Corners in order.
    Polygon(Vec<Point>),
    /// Centre, radius, half the width at its beginning and at its end, beginning and end in turns.
    Arc(Point, f32, (f32, f32), (f32, f32)),
}

impl Outline {
    fn holds(&self, (x, y): Point) -> bool {
        match self {
            Self::Ellipse((cx, cy), (rx, ry), turn) => {
                let (sin, cos) = (turn * TAU).sin_cos();
                let (dx, dy) = (x - cx, y - cy);
                let (along, across) = (dx * cos + dy * sin, dy * cos - dx * sin);
                (along / rx).powi(2) + (across / ry).powi(2) <= 1.0
            }
            Self::Polygon(corners) => {
                let ends = corners.iter().cycle().skip(1);
                let crossed = corners
                    .iter()
                    .zip(ends)
                    .filter(|((ax, ay), (bx, by))| (*ay > y) != (*by > y) && x < (bx - ax) * (y - ay) / (by - ay) + ax);
                crossed.count() % 2 == 1
            }
            Self::Arc((cx, cy), radius, (first, last), (from, to)) => {
                let (dx, dy) = (x - cx, y - cy);
                let turn = (dy.atan2(dx) / TAU - from).rem_euclid(1.0);
                let part = turn / (to - from);
                let half_width = first + (last - first) * part;
                part <= 1.0 && (dx.hypot(dy) - radius).abs() <= half_width
            }
        }
    }
}

type Shape = (Tone, Outline);

fn ellipse(tone: Tone, x: f32, y: f32, rx: f32, ry: f32, turn: f32) -> Shape {
    (tone, Outline::Ellipse((x, y), (rx, ry), turn))
}

fn polygon(tone: Tone, corners: &[Point]) -> Shape {
    (tone, Outline::Polygon(corners.to_vec()))
}

fn arc(tone: Tone, x: f32, y: f32, radius: f32, widths: Point, turns: Point) -> Shape {
    (tone, Outline::Arc((x, y), radius, widths, turns))
}

/// The shapes of a motif, back to front, in a field of -1.33 to 1.33 by -1 to 1.
#[expect(clippy::too_many_lines, reason = "a list of shapes, one motif a match arm")]
fn shapes(motif: Motif) -> Vec<Shape> {
    use Tone::{Deep, Half, Light};
    match motif {
        Motif::Shrimp => shrimp(),
        Motif::Fish => vec![
            polygon(Half, &[(0.5, 0.0), (0.98, -0.36), (0.88, 0.0), (0.98, 0.36)]),
            polygon(Half, &[(-0.2, -0.25), (0.15, -0.52), (0.3, -0.15)]),
            polygon(Half, &[(-0.1, 0.25), (0.12, 0.46), (0.22, 0.15)]),
            ellipse(Light, -0.12, 0.0, 0.76, 0.32, 0.0),
            arc(Deep, -0.78, 0.0, 0.36, (0.012, 0.012), (0.92, 1.08)),
            ellipse(Deep, -0.62, -0.06, 0.045, 0.045, 0.0),
        ],
        Motif::Crab => crab(),
        Motif::Squid => vec![
            polygon(Half, &[(-0.95, 0.0), (-0.5, -0.42), (-0.3, 0.0), (-0.5, 0.42)]),
            arc(Half, 0.3, 0.5, 0.5, (0.05, 0.015), (0.75, 1.0)),
            arc(Half, 0.3, -0.5, 0.5, (0.015, 0.05), (0.0, 0.25)),
            arc(Light, 0.4, 0.9, 0.82, (0.05, 0.02), (0.75, 0.9)),
            arc(Light, 0.4, -0.9, 0.82, (0.02, 0.05), (0.1, 0.25)),
            ellipse(Light, -0.3, 0.0, 0.62, 0.22, 0.0),
            ellipse(Light, 0.34, 0.0, 0.2, 0.17, 0.0),
            ellipse(Deep, 0.4, -0.08, 0.04, 0.04, 0.0),
        ],
        Motif::Meat => vec![
            ellipse(Light, 0.0, 0.0, 0.82, 0.54, 0.97),
            ellipse(Half, 0.02, 0.02, 0.72, 0.44, 0.97),
            arc(Light, -0.2, 0.5, 0.55, (0.02, 0.012), (0.68, 0.84)),
            arc(Light, 0.4, -0.5, 0.5, (0.012, 0.02), (0.2, 0.38)),
            arc(Light, 0.1, 0.7, 0.62, (0.015, 0.012), (0.7, 0.86)),
            ellipse(Light, -0.42, 0.1, 0.15, 0.13, 0.0),
            ellipse(Deep, -0.42, 0.1, 0.07, 0.06, 0.0),
        ],
        Motif::Drumstick => vec![
            polygon(Light, &[(0.2, 0.12), (0.62, 0.42), (0.7, 0.32), (0.3, 0.0)]),
            ellipse(Light, 0.66, 0.44, 0.1, 0.1, 0.0),
            ellipse(Light, 0.74, 0.34, 0.1, 0.1, 0.0),
            ellipse(Half, -0.2, -0.16, 0.62, 0.42, 0.1),
            arc(Light, -0.15, -0.1, 0.4, (0.015, 0.03), (0.55, 0.72)),
        ],
        Motif::Butter => vec![
            polygon(Light, &[(-0.85, -0.1), (-0.6, -0.4), (0.85, -0.4), (0.6, -0.1)]),
            polygon(Half, &[(-0.85, -0.1), (0.6, -0.1), (0.6, 0.4), (-0.85, 0.4)]),
            polygon(Deep, &[(0.6, -0.1), (0.85, -0.4), (0.85, 0.1), (0.6, 0.4)]),
            polygon(Light, &[(-0.42, -0.1), (-0.38, -0.1), (-0.38, 0.4), (-0.42, 0.4)]),
        ],
        Motif::Carton => vec![
            polygon(Half, &[(-0.4, -0.3), (0.4, -0.3), (0.22, -0.62), (-0.22, -0.62)]),
            polygon(Light, &[(-0.24, -0.76), (0.24, -0.76), (0.24, -0.6), (-0.24, -0.6)]),
            polygon(Light, &[(-0.4, -0.3), (0.4, -0.3), (0.4, 0.78), (-0.4, 0.78)]),
            ellipse(Half, 0.0, 0.3, 0.18, 0.22, 0.0),
            polygon(Half, &[(-0.17, 0.24), (0.17, 0.24), (0.0, -0.08)]),
        ],
        Motif::Cheese => vec![
            polygon(Light, &[(-0.85, 0.05), (0.5, -0.5), (0.85, -0.05)]),
            polygon(Half, &[(-0.85, 0.05), (0.85, -0.05), (0.85, 0.42), (-0.85, 0.5)]),
            ellipse(Deep, -0.4, 0.25, 0.12, 0.1, 0.0),
            ellipse(Deep, 0.15, 0.16, 0.09, 0.08, 0.0),
            ellipse(Deep, 0.5, 0.24, 0.13, 0.11, 0.0),
            ellipse(Half, 0.25, -0.24, 0.1, 0.05, 0.95),
        ],
        Motif::IceCream => vec![
            polygon(Half, &[(-0.36, 0.05), (0.36, 0.05), (0.0, 0.9)]),
            ellipse(Light, -0.2, -0.12, 0.28, 0.28, 0.0),
            ellipse(Light, 0.2, -0.12, 0.28, 0.28, 0.0),
            ellipse(Light, 0.0, -0.46, 0.29, 0.29, 0.0),
            polygon(Deep, &[(-0.3, 0.19), (0.3, 0.19), (0.29, 0.21), (-0.29, 0.21)]),
        ],
        Motif::Cherry => vec![
            arc(Half, 0.55, 0.35, 0.92, (0.022, 0.022), (0.53, 0.68)),
            arc(Half, -0.5, 0.3, 0.95, (0.022, 0.022), (0.86, 0.99)),
            ellipse(Half, 0.36, -0.56, 0.3, 0.13, 0.06),
            ellipse(Light, -0.38, 0.34, 0.34, 0.34, 0.0),
            ellipse(Light, 0.42, 0.42, 0.34, 0.34, 0.0),
            arc(Half, -0.38, 0.34, 0.23, (0.03, 0.03), (0.55, 0.7)),
            arc(Half, 0.42, 0.42, 0.23, (0.03, 0.03), (0.55, 0.7)),
        ],
        Motif::Durian => durian(),
    }
}

fn shrimp() -> Vec<Shape> {
    use Tone::{Deep, Half, Light};
    let mut shapes = vec![
        arc(Half, -0.45, 0.35, 0.85, (0.012, 0.012), (0.62, 0.85)),
        arc(Half, -0.55, 0.45, 0.85, (0.012, 0.012), (0.62, 0.8)),
        polygon(Half, &[(-0.02, 0.5), (-0.5, 0.4), (-0.42, 0.62), (-0.5, 0.84), (-0.02, 0.66)]),
        arc(Light, 0.05, 0.08, 0.5, (0.21, 0.1), (0.6, 1.28)),
        ellipse(Light, -0.42, -0.16, 0.33, 0.19, 0.9),
        polygon(Light, &[(-0.6, -0.2), (-0.92, -0.16), (-0.56, -0.02)]),
        ellipse(Deep, -0.52, -0.14, 0.04, 0.04, 0.0),
    ];
    shapes.extend((0..6).map(|joint| {
        let turn = 0.74 + joint as f32 * 0.09;
        // As wide as the body there.
        let width = 0.2 - joint as f32 * 0.015;
        arc(Half, 0.05, 0.08, 0.5, (width, width), (turn, turn + 0.008))
    }));
    shapes.extend((0..4).map(|leg| {
        let at = leg as f32 * 0.12;
        polygon(Half, &[(-0.3 + at, 0.02), (-0.24 + at, 0.02), (-0.34 + at, 0.24)])
    }));
    shapes
}

fn crab() -> Vec<Shape> {
    use Tone::{Deep, Half, Light};
    let mut shapes = Vec::new();
    for side in [-1.0_f32, 1.0] {
        for leg in 0..3 {
            let at = leg as f32 * 0.2;
            let hip = (side * 0.4, 0.05 + at * 0.6);
            let (knee, foot) = ((side * 0.85, -0.12 + at), (side * 1.02, 0.36 + at));
            shapes.push(polygon(Half, &[hip, knee, (knee.0, knee.1 + 0.08), (hip.0, hip.1 + 0.12)]));
            shapes.push(polygon(Half, &[knee, foot, (knee.0 - side * 0.09, knee.1 + 0.08)]));
        }
        shapes.push(polygon(Half, &[(side * 0.4, -0.15), (side * 0.6, -0.5), (side * 0.7, -0.44), (side * 0.5, 0.0)]));
        shapes.push(ellipse(Light, side * 0.62, -0.58, 0.2, 0.14, side * 0.12));
        shapes.push(polygon(Deep, &[(side * 0.6, -0.6), (side * 0.86, -0.78), (side * 0.78, -0.58)]));
    }
    shapes.push(ellipse(Light, 0.0, 0.08, 0.56, 0.38, 0.0));
    shapes.push(ellipse(Deep, -0.14, -0.16, 0.045, 0.045, 0.0));
    shapes.push(ellipse(Deep, 0.14, -0.16, 0.045, 0.045, 0.0));
    shapes.push(arc(Half, 0.0, -0.1, 0.32, (0.02, 0.02), (0.1, 0.4)));
    shapes
}

fn durian() -> Vec<Shape> {
    use Tone::{Half, Light};
    let mut shapes = vec![polygon(Half, &[(-0.07, -0.9), (0.09, -0.9), (0.07, -0.55), (-0.07, -0.55)])];
    let spiked = |rx: f32, ry: f32, spikes: u16| {
        let corners = (0..spikes * 2).map(|corner| {
            let reach = if corner % 2 == 0 { 1.0 } else { 0.86 };
            let (sin, cos) = (f32::from(corner) / f32::from(spikes * 2) * TAU).sin_cos();
            (cos * rx * reach, 0.08 + sin * ry * reach)
        });
        Outline::Polygon(corners.collect())
    };
    shapes.push((Light, spiked(0.8, 0.66, 30)));
    shapes.push((Half, spiked(0.62, 0.5, 23)));
    shapes.push((Light, spiked(0.5, 0.4, 18)));
    shapes.push((Half, spiked(0.3, 0.24, 12)));
    shapes
}

/// The JPEG of a motif on a ground.
///
/// # Errors
/// Where the encoder fails.
pub fn jpeg(motif: Motif, ground: [u8; 3]) -> image::ImageResult<Vec<u8>> {
    let shapes = shapes(motif);
    let light_at = |column: f32, row: f32| {
        let scale = HEIGHT as f32 / 2.0;
        let point = ((column - WIDTH as f32 / 2.0) / scale, (row - HEIGHT as f32 / 2.0) / scale);
        let on_top = shapes.iter().rev().find(|(_, outline)| outline.holds(point));
        on_top.map_or(0.0, |(tone, _)| *tone as u8 as f32 / 100.0)
    };
    let picture = RgbImage::from_fn(WIDTH, HEIGHT, |column, row| {
        let (column, row) = (column as f32, row as f32);
        let corners = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)];
        let [light, others @ ..] = corners.map(|(right, down)| light_at(column + right, row + down));
        let mut light = light;
        // Only where a pixel's corners differ is there an edge to smooth.
        if others.iter().any(|other| (other - light).abs() > f32::EPSILON) {
            let step = |sample: u32| (sample as f32 + 0.5) / SAMPLES as f32;
            let samples = (0..SAMPLES * SAMPLES).map(|sample| (step(sample % SAMPLES), step(sample / SAMPLES)));
            let sum: f32 = samples.map(|(right, down)| light_at(column + right, row + down)).sum();
            light = sum / (SAMPLES * SAMPLES) as f32;
        }
        // Lighter above, darker below, as in daylight.
        let shade = 1.12 - 0.3 * row / HEIGHT as f32;
        Rgb(ground.map(|channel| {
            let under = (f32::from(channel) * shade).min(255.0);
            (under + (250.0 - under) * light) as u8
        }))
    });
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Jpeg)?;
    Ok(bytes.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::goods::KINDS;

    #[test]
    fn pictures_are_light_and_whole() {
        let (motif, ground) = KINDS[0].picture;
        let bytes = jpeg(motif, ground).unwrap();
        assert!(bytes.len() < 20_000, "{} bytes", bytes.len());
        let decoded = image::load_from_memory(&bytes).unwrap();
        assert_eq!((decoded.width(), decoded.height()), (WIDTH, HEIGHT));
    }
}
