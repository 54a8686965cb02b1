//! What a QR code in a picture says. `tegatad --read-qr` does it in a process of its own, which holds no key and speaks to nobody: a
//! picture comes from anywhere, and what reads it had better have nothing to lose (docs/design/iam-users.md).

use png::{BitDepth, ColorType, Decoder, Limits, Transformations};
use std::io::{Cursor, Read};
use tegata_protocol::Secret;

/// The most bytes of a picture: a screenshot of a large screen has some two million.
pub const MAX_BYTES: u64 = 8 * 1024 * 1024;
/// The most pixels of a side, and the most bytes that reading it may take beside the pixels.
const MAX_SIDE: u32 = 5_000;
const MAX_WORK: usize = 32 * 1024 * 1024;

/// Why a picture says nothing. It quotes nothing of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QrFault {
    /// More than is read.
    #[error("the picture has more than {} MiB", MAX_BYTES / (1024 * 1024))]
    TooManyBytes,
    /// Wider or higher than is read.
    #[error(
        "the picture has {width} x {height} pixels, and {MAX_SIDE} x {MAX_SIDE} are read; cut the QR code out of it"
    )]
    TooLarge {
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
    },
    /// Not a PNG, or a broken one.
    #[error("the picture is no PNG that can be read")]
    NoPng,
    /// No code, or none that can be read.
    #[error("no QR code can be read in the picture; cut it out with its white margin, as large as it was shown")]
    NoCode,
    /// Several codes that say different things.
    #[error("the picture holds several QR codes; cut out the one that is meant")]
    Several,
    /// The picture did not arrive.
    #[error("the picture cannot be read: {0}")]
    Io(String),
}

/// Reads a picture, and the code in it.
///
/// # Errors
/// [`QrFault`].
pub fn read_from(source: impl Read) -> Result<Secret, QrFault> {
    let mut picture = Vec::new();
    source.take(MAX_BYTES + 1).read_to_end(&mut picture).map_err(|error| QrFault::Io(error.to_string()))?;
    if picture.len() as u64 > MAX_BYTES {
        return Err(QrFault::TooManyBytes);
    }
    read(&picture)
}

/// Reads the one code in a PNG.
///
/// # Errors
/// [`QrFault`].
pub fn read(picture: &[u8]) -> Result<Secret, QrFault> {
    let grey = Grey::of(picture)?;
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(grey.width, grey.height, |x, y| grey.pixel(x, y));
    let mut texts: Vec<String> =
        prepared.detect_grids().iter().filter_map(|grid| grid.decode().ok()).map(|(_, text)| text).collect();
    texts.sort();
    texts.dedup();
    let text = texts.pop().ok_or(QrFault::NoCode)?;
    if texts.is_empty() { Ok(Secret::new(text)) } else { Err(QrFault::Several) }
}

/// A picture in shades of grey, white where it is transparent.
struct Grey {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Grey {
    fn of(picture: &[u8]) -> Result<Self, QrFault> {
        let mut decoder = Decoder::new_with_limits(Cursor::new(picture), Limits { bytes: MAX_WORK });
        decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
        let mut reader = decoder.read_info().map_err(|_| QrFault::NoPng)?;
        let (width, height) = reader.info().size();
        if width > MAX_SIDE || height > MAX_SIDE {
            return Err(QrFault::TooLarge { width, height });
        }
        let mut bytes = vec![0; reader.output_buffer_size().ok_or(QrFault::NoPng)?];
        let frame = reader.next_frame(&mut bytes).map_err(|_| QrFault::NoPng)?;
        let samples = match (frame.bit_depth, frame.color_type) {
            (BitDepth::Eight, ColorType::Grayscale) => 1,
            (BitDepth::Eight, ColorType::GrayscaleAlpha) => 2,
            (BitDepth::Eight, ColorType::Rgb) => 3,
            (BitDepth::Eight, ColorType::Rgba) => 4,
            _ => return Err(QrFault::NoPng),
        };
        let (width, height) = (frame.width as usize, frame.height as usize);
        let pixels: Vec<u8> = bytes.chunks_exact(samples).take(width * height).map(shade).collect();
        if pixels.len() == width * height { Ok(Self { width, height, pixels }) } else { Err(QrFault::NoPng) }
    }

    fn pixel(&self, x: usize, y: usize) -> u8 {
        self.pixels.get(y * self.width + x).copied().unwrap_or(u8::MAX)
    }
}

/// The luminance of a pixel on white paper (ITU-R BT.601, in 1/256).
fn shade(samples: &[u8]) -> u8 {
    let (light, alpha) = match *samples {
        [grey] => (u32::from(grey), 255),
        [grey, alpha] => (u32::from(grey), u32::from(alpha)),
        [red, green, blue] => (luminance(red, green, blue), 255),
        [red, green, blue, alpha] => (luminance(red, green, blue), u32::from(alpha)),
        _ => (255, 255),
    };
    u8::try_from((light * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX)
}

fn luminance(red: u8, green: u8, blue: u8) -> u32 {
    (77 * u32::from(red) + 150 * u32::from(green) + 29 * u32::from(blue)) / 256
}

#[cfg(test)]
mod tests {
    use super::*;
    use qrcodegen::{QrCode, QrCodeEcc};

    const URI: &str = "otpauth://totp/Amazon%20Web%20Services:alice@123456789012?secret=CANARYCANARYCANA&issuer=AWS";

    /// A code of `text`, so many pixels a module, with the margin that readers need; in one of PNG's colours.
    fn png(text: &str, module: i32, color: ColorType) -> Vec<u8> {
        let code = QrCode::encode_text(text, QrCodeEcc::Medium).unwrap();
        picture(color, (code.size() + 8) * module, |x, y| code.get_module(x / module - 4, y / module - 4))
    }

    fn picture(color: ColorType, side: i32, dark: impl Fn(i32, i32) -> bool) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, side.unsigned_abs(), side.unsigned_abs());
        encoder.set_color(color);
        encoder.set_depth(BitDepth::Eight);
        let pixel = |dark: bool| match color {
            ColorType::Grayscale => vec![if dark { 0 } else { 255 }],
            ColorType::Rgb => {
                if dark {
                    vec![20, 20, 90]
                } else {
                    vec![250, 250, 240]
                }
            }
            // Black on nothing, as pages draw it.
            _ => vec![0, 0, 0, if dark { 255 } else { 0 }],
        };
        let data: Vec<u8> = (0..side)
            .flat_map(|y| (0..side).flat_map(move |x| vec![(x, y)]))
            .flat_map(|(x, y)| pixel(dark(x, y)))
            .collect();
        encoder.write_header().unwrap().write_image_data(&data).unwrap();
        bytes
    }

    #[test]
    fn a_code_is_read_in_every_colour_and_size() {
        for color in [ColorType::Grayscale, ColorType::Rgb, ColorType::Rgba] {
            for module in [2, 5, 11] {
                let read = read(&png(URI, module, color));
                assert_eq!(read.unwrap().expose_secret(), URI, "{color:?} {module}");
            }
        }
    }

    #[test]
    fn a_picture_without_a_code_or_with_two_is_told_apart() {
        let blank = picture(ColorType::Grayscale, 200, |_, _| false);
        assert_eq!(read(&blank).unwrap_err(), QrFault::NoCode);
        let (one, other) =
            (QrCode::encode_text(URI, QrCodeEcc::Low).unwrap(), QrCode::encode_text("else", QrCodeEcc::Low).unwrap());
        let both = picture(ColorType::Grayscale, 600, |x, y| {
            one.get_module(x / 5 - 4, y / 5 - 4) || other.get_module((x - 350) / 5, (y - 350) / 5)
        });
        assert_eq!(read(&both).unwrap_err(), QrFault::Several);
    }

    #[test]
    fn hostile_pictures_are_refused_within_bounds() {
        let good = png(URI, 3, ColorType::Grayscale);
        let mut wide = good.clone();
        // The header says 2^31 - 1 pixels a side (PNG specification, section 11.2.1), and its checksum does not fit any more.
        wide[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
        for broken in [&b""[..], b"\x89PNG\r\n\x1a\n", b"GIF89a", &[0; 4096], &good[..good.len() / 2], &wide] {
            assert_eq!(read(broken).unwrap_err(), QrFault::NoPng);
        }
        let mut wide = Vec::new();
        let mut encoder = png::Encoder::new(&mut wide, 5_001, 1);
        encoder.set_color(ColorType::Grayscale);
        encoder.write_header().unwrap().write_image_data(&[255; 5_001]).unwrap();
        assert_eq!(read(&wide).unwrap_err(), QrFault::TooLarge { width: 5_001, height: 1 });
        assert_eq!(read_from(std::io::repeat(0)).unwrap_err(), QrFault::TooManyBytes);
    }

    #[test]
    fn every_cut_of_a_picture_is_refused_or_read() {
        let good = png(URI, 2, ColorType::Grayscale);
        for cut in (0..good.len()).step_by(7) {
            if let Ok(text) = read(&good[..cut]) {
                assert_eq!(text.expose_secret(), URI, "{cut}");
            }
        }
    }
}
