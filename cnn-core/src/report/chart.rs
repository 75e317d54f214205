//! Curves as SVG, by `plotters`.

use plotters::prelude::*;

use crate::history::History;

/// In pixels, about those that a telephone has for it: there text is as large as it is drawn.
const SIZE: (u32, u32) = (400, 260);

/// More points than a chart can show are means of neighbours.
const POINTS: usize = 400;

/// Stand-ins for what the page says in its own colours, light or dark: ink, lines of the grid, series.
const INK: RGBColor = RGBColor(1, 2, 3);
const GRID: RGBColor = RGBColor(1, 2, 4);
pub(super) const SERIES: usize = 6;

fn of_series(index: usize) -> RGBColor {
    RGBColor(1, 3, (index % SERIES) as u8)
}

/// A chart, and how many values each of its points is a mean of.
pub(super) struct Chart {
    pub(super) svg: String,
    pub(super) mean_of: usize,
}

/// Series over steps; none if no value is finite.
pub(super) fn curves(history: &History, names: &[&str], unit: &str) -> Option<Chart> {
    let all = names.iter().flat_map(|name| history.series(name));
    let finite = all.filter(|(_, value)| value.is_finite());
    let none = [f64::INFINITY, f64::NEG_INFINITY];
    let (mut x, mut y) = (none, none);
    for (step, value) in finite {
        let step = *step as f64;
        x = [x[0].min(step), x[1].max(step)];
        y = [y[0].min(*value), y[1].max(*value)];
    }
    if x[0] > x[1] {
        return None;
    }
    let mean_of = names.iter().map(|name| neighbours(history, name)).max().unwrap_or(1);
    let mut svg = String::new();
    // A backend that writes to a string fails at nothing, and its areas are larger than their margins.
    let drawn = draw(&mut svg, history, names, unit, widened(x), widened(y));
    debug_assert!(drawn.is_ok(), "{drawn:?}");
    Some(Chart { svg: themed(&svg), mean_of })
}

fn draw(
    svg: &mut String,
    history: &History,
    names: &[&str],
    unit: &str,
    x: [f64; 2],
    y: [f64; 2],
) -> Result<(), Box<dyn core::error::Error>> {
    // The backend writes it divided by 1.24.
    const TEXT: f64 = 17.0;
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    let labels: Vec<String> = [y[0], y[1], f64::midpoint(y[0], y[1])].map(|value| number(value, y)).to_vec();
    let widest = labels.iter().map(String::len).max().unwrap_or(0) as u32;
    let mut chart = ChartBuilder::on(&root)
        .margin(6)
        .margin_right(18)
        .x_label_area_size(50)
        .y_label_area_size(12 + 8 * widest.clamp(3, 9))
        .build_cartesian_2d(x[0]..x[1], y[0]..y[1])?;
    let style = ("sans-serif", TEXT).into_font().color(&INK);
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID.stroke_width(1))
        .axis_style(GRID.stroke_width(1))
        .x_labels(5)
        .y_labels(6)
        .x_desc(unit)
        .label_style(style.clone())
        .axis_desc_style(style)
        .x_label_formatter(&|step| step_number(*step))
        .y_label_formatter(&|value| number(*value, y))
        .draw()?;
    for (index, name) in names.iter().enumerate() {
        let colour = of_series(index);
        let points = means(history.series(name), neighbours(history, name));
        // A line ends where a value is not finite.
        for stretch in points.split(|(_, value)| !value.is_finite()) {
            match stretch {
                [] => {}
                [point] => {
                    chart.draw_series([Circle::new(*point, 3, colour.filled())])?;
                }
                stretch => {
                    chart.draw_series(LineSeries::new(stretch.iter().copied(), colour.stroke_width(2)))?;
                }
            }
        }
    }
    root.present()?;
    drop(chart);
    Ok(())
}

/// How many values of a series a point is the mean of.
fn neighbours(history: &History, name: &str) -> usize {
    history.series(name).len().div_ceil(POINTS).max(1)
}

/// Means of so many neighbours each; one of what is not finite is none.
fn means(values: &[(u64, f64)], of: usize) -> Vec<(f64, f64)> {
    let mean = |values: &[(u64, f64)]| {
        let count = values.len() as f64;
        let step = values.iter().map(|(step, _)| *step as f64 / count).sum();
        let value: f64 = values.iter().map(|(_, value)| value / count).sum();
        (step, if value.is_finite() { value.clamp(-MOST, MOST) } else { value })
    };
    values.chunks(of).map(mean).collect()
}

/// Beyond this values are drawn at the edge: their differences would not be finite.
const MOST: f64 = 1e300;

/// A range with room around it, also where it is a point, or nearly one: what is drawn has pixels, and they are few.
fn widened([least, most]: [f64; 2]) -> [f64; 2] {
    let [least, most] = [least, most].map(|value| value.clamp(-MOST, MOST));
    let greatest = least.abs().max(most.abs());
    let room = if most - least > greatest * 1e-9 { (most - least) * 0.04 } else { greatest * 0.1 };
    let room = if greatest < 1.0 / MOST { 1.0 } else { room };
    [least - room, most + room]
}

/// Between two steps is none.
fn step_number(step: f64) -> String {
    if (step - step.round()).abs() > 1e-6 {
        return String::new();
    }
    if step.abs() < 1e7 { format!("{step:.0}") } else { format!("{step:.1e}") }
}

/// With four digits that count.
pub(super) fn brief(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if (1e-3..1e6).contains(&size) => {
            let digits = (3.0 - size.log10().floor()).max(0.0) as usize;
            format!("{value:.digits$}")
        }
        _ => format!("{value:.2e}"),
    }
}

/// With as many digits as tell numbers of a range apart.
fn number(value: f64, [least, most]: [f64; 2]) -> String {
    let range = most - least;
    if value.abs() < range * 1e-6 {
        return "0".to_owned();
    }
    let greatest = least.abs().max(most.abs());
    if !(1e-4..1e7).contains(&greatest) {
        return format!("{value:.1e}");
    }
    // Of a tenth of the range two digits.
    let digits = (1.0 - (range / 10.0).log10().floor() - 1.0).clamp(0.0, 8.0) as usize;
    format!("{value:.digits$}")
}

/// The page's colours and fonts in the place of the stand-ins.
fn themed(svg: &str) -> String {
    let mut svg = svg.replace("#010203", "var(--ink)").replace("#010204", "var(--rule)");
    for series in 0..SERIES {
        svg = svg.replace(&format!("#0103{series:02X}"), &format!("var(--series-{series})"));
    }
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(values: &[f64]) -> History {
        let mut history = History::new();
        (0..).zip(values).for_each(|(step, value)| history.push("loss", step, *value));
        history
    }

    #[test]
    fn a_short_series_beside_a_long_one_has_all_its_points() {
        let mut history = history(&[1.0; 5000]);
        (0..3).for_each(|step| history.push("validation", step, 2.0));
        let chart = curves(&history, &["loss", "validation"], "step").unwrap();
        assert!(chart.svg.contains("<polyline") && chart.svg.contains("var(--series-1)"));
    }

    fn lines(values: &[f64]) -> usize {
        curves(&history(values), &["loss"], "step").unwrap().svg.matches("stroke=\"var(--series-0)\"").count()
    }

    #[test]
    fn what_is_not_finite_is_a_gap() {
        assert_eq!(lines(&[3.0, 2.0, 1.0, 0.5]), 1);
        assert_eq!(lines(&[3.0, 2.0, f64::NAN, 1.0, 0.5, f64::INFINITY, 0.4, 0.3]), 3);
    }

    #[test]
    fn nothing_to_draw_is_no_chart() {
        assert!(curves(&History::new(), &["loss"], "step").is_none());
        assert!(curves(&history(&[f64::NAN, f64::INFINITY]), &["loss"], "step").is_none());
        assert!(curves(&history(&[1.0]), &[], "step").is_none());
    }

    #[test]
    fn any_range_is_drawn() {
        for values in [
            &[1.0][..],
            &[0.0, 0.0],
            &[f64::MAX, f64::MIN],
            &[5e-324, 0.0],
            &[1e300, 1e300],
            &[1.0, 1.0 + f64::EPSILON],
        ] {
            let chart = curves(&history(values), &["loss"], "step").unwrap();
            assert!(chart.svg.starts_with("<svg") && !chart.svg.contains("NaN"), "{values:?}");
        }
        let mut last = History::new();
        last.push("loss", u64::MAX, 1.0);
        assert!(curves(&last, &["loss"], "step").is_some());
    }

    proptest::proptest! {
        #[test]
        fn any_values_are_drawn(values: Vec<(u64, f64)>) {
            let mut history = History::new();
            values.iter().for_each(|(step, value)| history.push("loss", *step, *value));
            let chart = curves(&history, &["loss"], "step");
            assert_eq!(chart.is_some(), values.iter().any(|(_, value)| value.is_finite()));
        }
    }

    #[test]
    fn many_points_are_means_of_neighbours() {
        let values: Vec<f64> = (0..10_000).map(f64::from).collect();
        let chart = curves(&history(&values), &["loss"], "step").unwrap();
        assert_eq!(chart.mean_of, 25);
        assert!(chart.svg.len() < 20_000);
    }

    #[test]
    fn labels_have_the_digits_that_tell_them_apart() {
        assert_eq!([0.0, 0.2, 1.0].map(|value| number(value, [0.0, 1.0])), ["0", "0.2", "1.0"]);
        assert_eq!(number(0.9825, [0.98, 0.99]), "0.983");
        assert_eq!(number(1500.0, [0.0, 3000.0]), "1500");
        assert_eq!(number(2e-5, [0.0, 3e-5]), "2.0e-5");
        assert_eq!(
            [0.0, 0.02674, 1.0, 98.1, 123_456.0, 1e-7].map(brief),
            ["0", "0.02674", "1.000", "98.10", "123456", "1.00e-7"]
        );
    }
}
