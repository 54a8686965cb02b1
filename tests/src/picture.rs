//! Pictures of terminals for the documentation: what a real program drew, as an SVG whose text is text.

use anstyle::{Color, RgbColor};
use anstyle_svg::Term;
use regex::Regex;
use std::fs;
use std::path::{Path, PathBuf};

/// `make screens` sets it to where pictures are written; otherwise they are compared with those that are kept.
pub const WRITE: &str = "TEGATA_PICTURES";

const TERMINAL: Term = Term::new()
    .fg_color(Color::Rgb(RgbColor(0xd9, 0xdf, 0xe5)))
    .bg_color(Color::Rgb(RgbColor(0x1b, 0x1f, 0x24)))
    .palette(anstyle_svg::WIN10_CONSOLE)
    .min_width_px(640);

/// Returns a picture of a terminal: what it is called, what somebody hears who does not see it, what is drawn.
#[must_use]
pub fn svg(title: &str, description: &str, drawn: &str) -> String {
    let svg = TERMINAL.render_svg(drawn);
    // Faint text has to be read on this ground, too (WCAG 2.2, 1.4.3: 4.5 to 1).
    let svg = svg.replace(".dimmed { opacity: 0.4; }", ".dimmed { opacity: 0.7; }");
    let (open, rest) = svg.split_once('\n').unwrap_or((&svg, ""));
    let (width, height) = (pixels(open, "width"), pixels(open, "height"));
    format!(
        "<svg width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" xmlns=\"http://www.w3.org/2000/svg\" \
         lang=\"en\" aria-labelledby=\"title description\">\n  <title id=\"title\">{}</title>\n  \
         <desc id=\"description\">{}</desc>\n{rest}",
        escaped(title),
        escaped(description)
    )
}

/// The number of pixels that an attribute says.
fn pixels<'a>(tag: &'a str, attribute: &str) -> &'a str {
    let value = tag.split_once(&format!("{attribute}=\"")).map_or("", |(_, rest)| rest);
    value.split_once("px\"").map_or("640", |(number, _)| number)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// What differs from run to run, and what stands in its place.
#[derive(Debug, Default)]
pub struct Same(Vec<(Regex, String)>);

impl Same {
    /// Puts times, ports and pids into the form they always have in pictures, and takes out what is said in containers alone. What
    /// comes later with [`Same::and`] sees that form already.
    #[must_use]
    pub fn everywhere() -> Self {
        Self::default()
            .and(r"(?m)^This is a container:.*\n", "")
            .and(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "2026-11-22 09:07 UTC")
            .and(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "2026-11-22T09:07:00Z")
            .and(r"\bpid \d+", "pid 4242")
            .and(r"127\.0\.0\.1:\d+", "127.0.0.1:40123")
            .and(r"tegata\.localhost:\d+/#\S+", "tegata.localhost:40123/#4f9c…")
            .and(r"started \d+ s ago", "started 5 s ago")
            // A moment later, or a slow machine's minute.
            .and(r"\(in (?:1 h|5\d min)\), renewed", "(in 1 h), renewed")
            .and(r"\(in 5\d min\)", "(in 59 min)")
            .and(r"\(in 1[345] min\)", "(in 15 min)")
    }

    /// Puts `same` in the place of what a regular expression finds.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn and(mut self, differs: &str, same: &str) -> Self {
        self.0.push((Regex::new(differs).expect("a regular expression"), same.to_owned()));
        self
    }

    /// Puts a path in the place of another.
    #[must_use]
    pub fn path(self, differs: &Path, same: &str) -> Self {
        let path = differs.display().to_string();
        self.and(&regex::escape(path.trim_end_matches('/')), same)
    }

    /// Makes what was drawn the same as in every run.
    #[must_use]
    pub fn of(&self, drawn: &str) -> String {
        self.0
            .iter()
            .fold(drawn.to_owned(), |text, (differs, same)| differs.replace_all(&text, same.as_str()).into_owned())
    }
}

/// Where the documentation's pictures are kept.
#[must_use]
pub fn kept() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/pictures")
}

/// Compares a picture with the one that is kept, or writes it where `make screens` asks for that.
///
/// # Errors
/// That it is not what is kept, and where it can be looked at.
///
/// # Panics
/// When it cannot be written.
pub fn keep(name: &str, svg: &str) -> Result<(), String> {
    if let Some(directory) = std::env::var_os(WRITE) {
        fs::write(PathBuf::from(directory).join(name), svg).expect("the picture is written");
        return Ok(());
    }
    if fs::read_to_string(kept().join(name)).is_ok_and(|kept| kept == svg) {
        return Ok(());
    }
    let place = std::env::temp_dir().join(name);
    fs::write(&place, svg).expect("the picture is written");
    Err(format!("docs/pictures/{name} is not what the programs draw ({}); run: make screens", place.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_a_name_and_its_text_is_text() {
        let svg = svg("Doctor & friends", "Two lines.", "\x1b[1mbold\x1b[0m <plain>\nsecond");
        assert!(svg.contains("<title id=\"title\">Doctor &amp; friends</title>"), "{svg}");
        assert!(svg.contains("<desc id=\"description\">Two lines.</desc>"), "{svg}");
        assert!(
            svg.contains(">bold</tspan>") && svg.contains("&lt;plain&gt;") && svg.contains(">second</tspan>"),
            "{svg}"
        );
        assert!(svg.starts_with("<svg width=\"660\" height=\"56\" viewBox=\"0 0 660 56\" "), "{svg}");
    }

    #[test]
    fn what_differs_from_run_to_run_is_the_same_in_pictures() {
        let same = Same::everywhere().path(Path::new("/tmp/tg.x"), "/home/ann");
        let drawn = "until 2031-01-02 03:04 UTC (in 14 min), pid 17, http://127.0.0.1:5 /tmp/tg.x/a /tmp/tgyx";
        let kept = "until 2026-11-22 09:07 UTC (in 15 min), pid 4242, http://127.0.0.1:40123 /home/ann/a /tmp/tgyx";
        assert_eq!(same.of(drawn), kept);
    }
}
