//! One plot: the samples of some rows of the same unit, a row a line.
//!
//! It shows distributions and not bars of means: most of what is measured has a tail, and the tail is what a reader
//! asks about. Each row has all its samples as dots (thinned where there are many), each process in a lane of its own;
//! beneath them a bar from p10 to p90 and in it the median's interval; the median is a line down to it.
//!
//! Colours are markers, which the page's style maps to those of a light or a dark theme. Distances are in the plot's
//! own units, two to a pixel of CSS: plotters places at whole units, and dots at whole pixels would stand in columns.

use std::io;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::Line;
use crate::axis::{Axis, is_drawable};
use crate::rows::Unit;

const INK: RGBColor = RGBColor(1, 1, 1);
const MUTED: RGBColor = RGBColor(2, 2, 2);
const GRID: RGBColor = RGBColor(3, 3, 3);
const DOT: RGBColor = RGBColor(4, 4, 4);
const BAR: RGBColor = RGBColor(5, 5, 5);
const INTERVAL: RGBColor = RGBColor(6, 6, 6);
const WARNING: RGBColor = RGBColor(7, 7, 7);
const EQUAL: RGBColor = RGBColor(8, 8, 8);

/// The markers as plotters writes them, and the variables of `page.css` that they stand for.
pub(crate) const COLOURS: [(RGBColor, &str); 8] = [
    (INK, "ink"),
    (MUTED, "muted"),
    (GRID, "grid"),
    (DOT, "dot"),
    (BAR, "bar"),
    (INTERVAL, "interval"),
    (WARNING, "warning"),
    (EQUAL, "equal"),
];

/// Distances of a plot, for one width of the page.
#[derive(Debug)]
pub(crate) struct Form {
    /// The class of the drawing, by which the page's style shows one form and hides the other.
    pub(crate) class: &'static str,
    width: i32,
    /// Where the samples stand.
    left: i32,
    right: i32,
    /// Whether names stand above their samples and not beside them.
    names_above: bool,
    /// Letters of a line of a name.
    letters: usize,
    ticks: usize,
    dots: usize,
}

/// For desktops and for paper: names on the left, medians on the right.
pub(crate) const WIDE: Form =
    Form { class: "wide", width: 2120, left: 590, right: 1900, names_above: false, letters: 40, ticks: 8, dots: 150 };

/// For phones: names and medians above.
pub(crate) const NARROW: Form =
    Form { class: "narrow", width: 700, left: 24, right: 676, names_above: true, letters: 34, ticks: 5, dots: 60 };

/// The height of a row's dots.
const DOTS: i32 = 40;
/// The height of the bar beneath them.
const BAR_HEIGHT: i32 = 12;
/// Dots, bar and what is between them.
const DRAWN: i32 = DOTS + 4 + BAR_HEIGHT;
/// Between the lines of a name.
const LEADING: i32 = 31;
/// Lines of a name; what is longer is shortened.
const MOST_LINES: usize = 3;
/// Above and below the samples of a row.
const GAP: i32 = 9;
/// The height of the ticks' labels.
const LABELS: i32 = 44;
/// A plot with more rows has labels at the top too.
const MANY: usize = 12;

/// The plot of `lines` as an SVG element, which `description` is read out for; `None` where nothing can be drawn.
pub(crate) fn draw(lines: &[&Line<'_>], unit: Unit, form: &Form, description: &str) -> io::Result<Option<String>> {
    let lines: Vec<_> = lines.iter().copied().filter(|line| line.summary.is_some()).collect();
    let samples = lines.iter().flat_map(|line| line.row.samples.iter().flatten().copied());
    let Some(axis) = Axis::fit(unit, samples) else { return Ok(None) };
    let rows = placed(&lines, form, if lines.len() > MANY { LABELS + 6 } else { 8 });
    let bottom = rows.last().map_or(0, |row| row.bottom);
    let height = bottom + LABELS + 46;

    let mut text = String::new();
    let canvas = Canvas { axis, form };
    let size = [form.width, height].map(|side| u32::try_from(side).unwrap_or_default());
    {
        let area = SVGBackend::with_string(&mut text, (size[0], size[1])).into_drawing_area();
        canvas.paint(&area, &rows, bottom).map_err(|error| io::Error::other(error.to_string()))?;
        area.present().map_err(|error| io::Error::other(error.to_string()))?;
    }

    // The element itself is ours: plotters knows neither classes nor roles. So are the tooltips, one a row.
    let inner = text.split_once(">\n").map_or("", |(_, inner)| inner);
    let inner = inner.trim_end().trim_end_matches("</svg>").replace(" stroke=\"none\" stroke-width=\"1\"/>", "/>");
    let tooltips: String = rows.iter().map(|row| tooltip(row, form)).collect();
    Ok(Some(format!(
        "<svg class=\"{}\" role=\"img\" aria-label=\"{}\" viewBox=\"0 0 {} {height}\">\n{inner}{tooltips}</svg>\n",
        form.class,
        crate::html::escaped(description),
        form.width,
    )))
}

/// A row and where it stands.
struct Placed<'a> {
    line: &'a Line<'a>,
    name: Vec<String>,
    top: i32,
    /// Where its dots begin.
    dots: i32,
    bottom: i32,
}

fn placed<'a>(lines: &[&'a Line<'a>], form: &Form, top: i32) -> Vec<Placed<'a>> {
    let mut top = top;
    let mut rows = Vec::new();
    for line in lines {
        // A warning stands under the median's value, at the right of the name's second line.
        let warned = form.names_above && line.summary.is_some_and(|summary| summary.is_wide());
        let name = wrapped(&line.row.name, if warned { form.letters * 4 / 5 } else { form.letters }, MOST_LINES);
        let name_height = i32::try_from(name.len().max(1 + usize::from(warned))).unwrap_or_default() * LEADING;
        let (dots, bottom) = if form.names_above {
            let dots = top + GAP + name_height + 6;
            (dots, dots + DRAWN + GAP)
        } else {
            let height = name_height.max(DRAWN) + 2 * GAP;
            (top + (height - DRAWN) / 2, top + height)
        };
        rows.push(Placed { line, name, top, dots, bottom });
        top = bottom;
    }
    rows
}

fn tooltip(row: &Placed<'_>, form: &Form) -> String {
    let Some(summary) = row.line.summary else { return String::new() };
    let words = |value| row.line.row.unit.in_words(value);
    let title = format!(
        "{}: median {}, p10 to p90 {} to {}, p99 {}",
        row.line.row.name,
        words(summary.median),
        words(summary.p10),
        words(summary.p90),
        words(summary.p99),
    );
    format!(
        "<g><title>{}</title><rect x=\"0\" y=\"{}\" width=\"{}\" height=\"{}\" \
         fill=\"none\" pointer-events=\"all\"/></g>\n",
        crate::html::escaped(&title),
        row.top,
        form.width,
        row.bottom - row.top,
    )
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Drawn = Result<(), DrawingAreaErrorKind<io::Error>>;

struct Canvas<'a> {
    axis: Axis,
    form: &'a Form,
}

impl Canvas<'_> {
    fn paint(&self, area: &Area<'_>, rows: &[Placed<'_>], bottom: i32) -> Drawn {
        let top = rows.first().map_or(0, |row| row.top);
        for (x, label) in self.ticks() {
            self.upright(area, rows, x, GRID, 2)?;
            let half = width_of(&label) / 2;
            let label_at = x.clamp(half, (self.form.width - half).max(half));
            text(area, &label, (label_at, bottom + 24), MUTED, HPos::Center)?;
            if rows.len() > MANY {
                text(area, &label, (label_at, top - 22), MUTED, HPos::Center)?;
            }
        }
        if self.axis.has_one()
            && let Some(x) = self.x(1.0)
        {
            self.upright(area, rows, x, EQUAL, 3)?;
        }
        for row in rows {
            self.row(area, row)?;
        }
        area.draw(&line([(self.form.left, bottom), (self.form.right, bottom)], MUTED, 2))?;
        let middle = i32::midpoint(self.form.left, self.form.right);
        text(area, &self.axis.title(), (middle, bottom + LABELS + 22), MUTED, HPos::Center)
    }

    /// Where ticks stand, as many as have room for their labels.
    fn ticks(&self) -> Vec<(i32, String)> {
        let ticks = |most| -> Vec<(i32, String)> {
            self.axis.ticks(most).into_iter().filter_map(|(value, label)| Some((self.x(value)?, label))).collect()
        };
        let fit = |ticks: &Vec<(i32, String)>| {
            ticks
                .windows(2)
                .all(|pair| pair[1].0 - pair[0].0 > i32::midpoint(width_of(&pair[0].1), width_of(&pair[1].1)))
        };
        (1..=self.form.ticks).rev().map(ticks).find(fit).unwrap_or_default()
    }

    /// A line through the samples of all rows; where names stand above them, not through the names.
    fn upright(&self, area: &Area<'_>, rows: &[Placed<'_>], x: i32, colour: RGBColor, width: u32) -> Drawn {
        for row in rows {
            let top = if self.form.names_above { row.dots } else { row.top };
            area.draw(&line([(x, top), (x, row.bottom)], colour, width))?;
        }
        Ok(())
    }

    fn row(&self, area: &Area<'_>, row: &Placed<'_>) -> Drawn {
        let Some(summary) = row.line.summary else { return Ok(()) };
        let middle = i32::midpoint(row.top, row.bottom);
        if !self.form.names_above {
            area.draw(&line([(0, row.bottom), (self.form.width, row.bottom)], GRID, 1))?;
        }
        self.name(area, row)?;

        for (value, lane) in dots(&row.line.row.samples, self.form.dots) {
            let Some(x) = self.x(value) else { continue };
            let y = row.dots + 4 + (lane * f64::from(DOTS - 8)).round() as i32;
            area.draw(&Circle::new((x, y), 4, DOT.mix(0.45).filled()))?;
        }
        let bar_top = row.dots + DRAWN - BAR_HEIGHT;
        if let (Some(low), Some(high)) = (self.x(summary.p10), self.x(summary.p90)) {
            area.draw(&bar(low, high, bar_top, BAR))?;
        }
        if let [Some(low), Some(high)] = summary.ci95.map(|end| self.x(end)) {
            area.draw(&bar(low, high, bar_top, INTERVAL))?;
        }
        if let Some(x) = self.x(summary.median) {
            area.draw(&line([(x, row.dots - 2), (x, bar_top)], INK, 4))?;
        }

        let (x, y) = match self.form.names_above {
            true => (self.form.width, row.top + GAP + LEADING / 2),
            false => (self.form.width - 4, middle),
        };
        let median = row.line.row.unit.in_words(summary.median);
        match (summary.is_wide(), self.form.names_above) {
            (false, _) => text(area, &median, (x, y), INK, HPos::Right),
            (true, true) => {
                text(area, &median, (x, y), INK, HPos::Right)?;
                text(area, "interval wide", (x, y + LEADING), WARNING, HPos::Right)
            }
            (true, false) => {
                text(area, &median, (x, y - LEADING / 2), INK, HPos::Right)?;
                text(area, "interval wide", (x, y + LEADING / 2), WARNING, HPos::Right)
            }
        }
    }

    fn name(&self, area: &Area<'_>, row: &Placed<'_>) -> Drawn {
        let lines = i32::try_from(row.name.len()).unwrap_or_default();
        let (x, mut y) = match self.form.names_above {
            true => (0, row.top + GAP + LEADING / 2),
            false => (0, i32::midpoint(row.top, row.bottom) - (lines - 1) * LEADING / 2),
        };
        for part in &row.name {
            text(area, part, (x, y), INK, HPos::Left)?;
            y += LEADING;
        }
        Ok(())
    }

    fn x(&self, value: f64) -> Option<i32> {
        let part = self.axis.place(value)?;
        Some(self.form.left + (part * f64::from(self.form.right - self.form.left)).round() as i32)
    }
}

fn line(ends: [(i32, i32); 2], colour: RGBColor, width: u32) -> PathElement<(i32, i32)> {
    PathElement::new(ends, colour.stroke_width(width))
}

/// The width of `text` in most fonts, or a little more.
fn width_of(text: &str) -> i32 {
    i32::try_from(text.chars().count()).unwrap_or_default() * 15 + 16
}

/// A bar from `low` to `high`, at least as wide as can be seen.
fn bar(low: i32, high: i32, top: i32, colour: RGBColor) -> Rectangle<(i32, i32)> {
    let missing = (4 - (high - low)).max(0);
    let (low, high) = (low - missing / 2, high + missing / 2);
    Rectangle::new([(low, top), (high, top + BAR_HEIGHT)], colour.filled())
}

fn text(area: &Area<'_>, text: &str, at: (i32, i32), colour: RGBColor, anchor: HPos) -> Drawn {
    // plotters divides by 1.24 what it is given: 25 units, which are 12.5 pixels of CSS.
    let style = TextStyle::from(("sans-serif", 31).into_font()).color(&colour).pos(Pos::new(anchor, VPos::Center));
    let text: String = text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    area.draw(&Text::new(text, at, style))
}

/// At most `most` of the samples, each with its height among the dots from 0 (top) to 1.
///
/// Each process has a lane, the first on top, so that it shows when one of them differs. Thinned are the sorted
/// samples, which keeps the shape and both ends. Within a lane the golden ratio spreads neighbours as far as it can,
/// and it does so alike in every report of the same samples.
fn dots(processes: &[Vec<f64>], most: usize) -> Vec<(f64, f64)> {
    const GOLDEN: f64 = 0.618_033_988_749_895;
    let mut lanes: Vec<Vec<f64>> =
        processes.iter().map(|samples| samples.iter().copied().filter(|value| is_drawable(*value)).collect()).collect();
    lanes.retain(|samples| !samples.is_empty());
    let (height, share) = (1.0 / lanes.len().max(1) as f64, (most / lanes.len().max(1)).max(1));
    let mut dots = Vec::new();
    for (lane, samples) in lanes.iter_mut().enumerate() {
        samples.sort_unstable_by(f64::total_cmp);
        for (index, value) in evenly(samples, share).into_iter().enumerate() {
            let within = ((index as f64 + 0.5) * GOLDEN).fract();
            dots.push((value, (lane as f64 + within) * height));
        }
    }
    evenly(&dots, most)
}

/// At most `most` of `items`, the first and the last among them.
fn evenly<T: Copy>(items: &[T], most: usize) -> Vec<T> {
    match items.len() {
        count if count <= most => items.to_vec(),
        count if most < 2 => items.get(count / 2).copied().into_iter().take(most).collect(),
        count => (0..most).map(|index| items[index * (count - 1) / (most - 1)]).collect(),
    }
}

/// `name` in lines of at most `letters`, broken at spaces where there are any; an ellipsis ends what does not fit.
fn wrapped(name: &str, letters: usize, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in name.split_whitespace() {
        let mut word: Vec<char> = word.chars().collect();
        while !word.is_empty() {
            let line = lines.last_mut().expect("there is always a line");
            let used = line.chars().count();
            let space = usize::from(used > 0);
            if used + space + word.len() <= letters {
                line.extend(std::iter::repeat_n(' ', space).chain(word.drain(..)));
            } else if used > 0 {
                lines.push(String::new());
            } else {
                line.extend(word.drain(..letters.max(1)));
            }
        }
    }
    if lines.len() > most {
        lines.truncate(most.max(1));
        let last = lines.last_mut().expect("there is always a line");
        *last = last.chars().take(letters.saturating_sub(1)).chain(['…']).collect();
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::{Row, Table};

    fn drawing(unit: Unit, samples: Vec<Vec<f64>>, form: &Form) -> Option<String> {
        let mut row = Row::measured(Table::T1, "a", unit, Vec::new());
        row.samples = samples;
        let line = Line { row: &row, summary: row.summary() };
        draw(&[&line], unit, form, "a plot").expect("nothing to fail")
    }

    #[test]
    fn odd_samples_are_drawn_or_left_out() {
        let odd = [0.0, -1.0, f64::NAN, f64::INFINITY, f64::MAX, 5e-324, 1.0, 1e9];
        for form in [&WIDE, &NARROW] {
            assert_eq!(drawing(Unit::Seconds, vec![], form), None);
            assert_eq!(drawing(Unit::Seconds, vec![vec![], vec![]], form), None);
            assert_eq!(drawing(Unit::Seconds, vec![vec![f64::NAN; 9]], form), None);
            for one in odd {
                for other in odd {
                    for unit in [Unit::Seconds, Unit::Bytes, Unit::Ratio, Unit::Count] {
                        let _ = drawing(unit, vec![vec![one; 3], vec![other, one], vec![]], form);
                    }
                }
            }
            let equal = drawing(Unit::Seconds, vec![vec![2.0; 500]; 5], form).expect("a plot");
            assert!(equal.contains("<circle") && !equal.contains("NaN"));
        }
    }

    #[test]
    fn every_process_keeps_its_lane_and_its_ends() {
        let processes: Vec<Vec<f64>> =
            (0..5).map(|process| (0..1_000).map(|index| f64::from(process * 1_000 + index)).collect()).collect();
        let dots = dots(&processes, 150);
        assert_eq!(dots.len(), 150);
        for (value, lane) in &dots {
            assert_eq!((value / 1_000.0).floor(), (lane * 5.0).floor());
        }
        for end in [0.0, 999.0, 4_000.0, 4_999.0] {
            assert!(dots.iter().any(|(value, _)| *value == end), "{end}");
        }
        assert_eq!(super::dots(&vec![vec![1.0]; 400], 150).len(), 150);
    }

    #[test]
    fn names_are_wrapped_or_shortened() {
        assert_eq!(wrapped("a short one", 20, 2), ["a short one"]);
        assert_eq!(wrapped("one that takes two lines", 14, 2), ["one that takes", "two lines"]);
        assert_eq!(wrapped("abcdefghij", 4, 3), ["abcd", "efgh", "ij"]);
        assert_eq!(wrapped("abcd efgh ijkl", 4, 2), ["abcd", "efg…"]);
        assert_eq!(wrapped("", 4, 2), [""]);
    }
}
