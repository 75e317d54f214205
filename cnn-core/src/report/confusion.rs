//! A confusion matrix as a table, or as a picture where it is large, and how well each class does.

use core::fmt::Write;

use super::html::escape;
use super::picture::{Picture, Scale, viridis};
use super::table;
use crate::metric::ConfusionMatrix;

/// More classes than a page has room for as columns.
const MOST: usize = 20;

/// Names are those of the classes; one that is missing is its number.
pub(super) fn section<const CLASSES: usize>(html: &mut String, matrix: &ConfusionMatrix<CLASSES>, names: &[&str]) {
    let name = |class: usize| names.get(class).map_or_else(|| class.to_string(), |name| (*name).to_owned());
    if CLASSES == 0 || matrix.total() == 0 {
        html.push_str("<p class=\"none\">No predictions were counted.</p>");
        return;
    }
    // Writing to a string cannot fail.
    let _ =
        write!(html, "<p>{} of {} right: {:.2} %.</p>", matrix.correct(), matrix.total(), 100.0 * matrix.accuracy());
    // A network may have more classes than a data set.
    let is_there = |class: usize| {
        class < names.len() || (0..CLASSES).any(|other| matrix.count(class, other) + matrix.count(other, class) > 0)
    };
    let classes: Vec<usize> = (0..CLASSES).filter(|class| CLASSES <= MOST || is_there(*class)).collect();
    if classes.len() < CLASSES {
        let others = CLASSES - classes.len();
        let _ = write!(html, "<p class=\"none\">{others} other classes neither were nor were taken for anything.</p>");
    }
    html.push_str("<div class=\"side\">");
    if classes.len() <= MOST {
        let _ = numbers(html, matrix, &classes, &name);
    } else {
        as_picture(html, matrix, &classes);
    }
    let rows = classes.iter().copied().map(|class| {
        let (recall, precision) = (matrix.recall(class), matrix.precision(class));
        let count: u64 = (0..CLASSES).map(|predicted| matrix.count(class, predicted)).sum();
        // The harmonic mean, which is none where neither has a value.
        let f1 = 2.0 * precision * recall / (precision + recall);
        let f1 = if precision + recall == 0.0 { 0.0 } else { f1 };
        vec![name(class), count.to_string(), percent(precision), percent(recall), percent(f1)]
    });
    html.push_str("<div><p class=\"none\">Of each class, in percent:</p>");
    table::write(html, &["class", "count", "precision", "recall", "F1"], &rows.collect::<Vec<_>>());
    html.push_str("</div></div>");
}

pub(super) fn percent(share: f64) -> String {
    if share.is_nan() { "-".to_owned() } else { format!("{:.1}", 100.0 * share) }
}

/// A cell is as dark as its share of its row is great.
fn numbers<const CLASSES: usize>(
    html: &mut String,
    matrix: &ConfusionMatrix<CLASSES>,
    classes: &[usize],
    name: &impl Fn(usize) -> String,
) -> core::fmt::Result {
    html.push_str(
        "<div class=\"scroll\" tabindex=\"0\"><table class=\"confusion\"><caption>Rows are the true classes, columns what \
         they were taken for.</caption><thead><tr><th scope=\"col\">true</th>",
    );
    for class in classes {
        write!(html, "<th scope=\"col\">{}</th>", escape(&name(*class)))?;
    }
    html.push_str("</tr></thead><tbody>");
    for truth in classes.iter().copied() {
        write!(html, "<tr><th scope=\"row\">{}</th>", escape(&name(truth)))?;
        let of_row: u64 = (0..CLASSES).map(|predicted| matrix.count(truth, predicted)).sum();
        for predicted in classes.iter().copied() {
            let count = matrix.count(truth, predicted);
            if count == 0 {
                html.push_str("<td class=\"zero\">0</td>");
                continue;
            }
            let kind = if truth == predicted { "right" } else { "wrong" };
            // The root, so that few mistakes are seen beside many right ones; never so dark that the number is not.
            let share = (count as f64 / of_row as f64).sqrt();
            write!(html, "<td class=\"{kind}\" style=\"--share:{:.0}%\">{count}</td>", 8.0 + 62.0 * share)?;
        }
        html.push_str("</tr>");
    }
    html.push_str("</tbody></table></div>");
    Ok(())
}

fn as_picture<const CLASSES: usize>(html: &mut String, matrix: &ConfusionMatrix<CLASSES>, classes: &[usize]) {
    /// What a picture is to have at least, in pixels, and cells at most.
    const LEAST: usize = 600;
    // Cells of more classes than a screen has pixels are sums.
    let of_cell = classes.len().div_ceil(LEAST);
    let cells = classes.len().div_ceil(of_cell);
    let mut counts = vec![0_u64; cells * cells];
    for (row, truth) in classes.iter().enumerate() {
        for (column, predicted) in classes.iter().enumerate() {
            counts[row / of_cell * cells + column / of_cell] += matrix.count(*truth, *predicted);
        }
    }
    let share = |truth: usize, predicted: usize| {
        let row = &counts[truth * cells..][..cells];
        let of_row = row.iter().sum::<u64>().max(1);
        (row[predicted] as f32 / of_row as f32).sqrt()
    };
    let scale = Scale::of([0.0, 1.0].into_iter());
    let picture = Picture::from_fn(cells, cells, |x, y| viridis(scale.of_value(share(y, x))));
    html.push_str("<figure class=\"matrix\">");
    let alt =
        format!("Confusion matrix of {} classes; the table below has recall and precision of each", classes.len());
    picture.enlarged(LEAST.div_ceil(cells)).write_img(html, &alt);
    html.push_str(
        "<figcaption>Rows are the true classes from top to bottom, columns what they were taken for, from left to right. \
         Lighter is a larger share of the row.</figcaption></figure>",
    );
}
