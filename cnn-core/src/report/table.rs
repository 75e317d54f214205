//! Tables that scroll where the page is narrow.

use core::fmt::Write;

use super::html::escape;

/// The first cell of a row is what the row is of. Cells that are missing are empty.
pub(super) fn write(html: &mut String, columns: &[&str], rows: &[Vec<String>]) {
    html.push_str("<div class=\"scroll tall\" tabindex=\"0\"><table><thead><tr>");
    // Writing to a string cannot fail.
    for (index, column) in columns.iter().enumerate() {
        let mut cells = rows.iter().filter_map(|row| row.get(index));
        let kind = if index > 0 && cells.all(|cell| is_number(cell)) { " class=\"number\"" } else { "" };
        let _ = write!(html, "<th scope=\"col\"{kind}>{}</th>", escape(column));
    }
    html.push_str("</tr></thead><tbody>");
    for row in rows {
        html.push_str("<tr>");
        for index in 0..columns.len().max(row.len()) {
            let cell = row.get(index).map_or("", String::as_str);
            let (open, close) = if index == 0 { ("th scope=\"row\"", "th") } else { ("td", "td") };
            let kind = if index > 0 && is_number(cell) { " class=\"number\"" } else { "" };
            let _ = write!(html, "<{open}{kind}>{}</{close}>", escape(cell));
        }
        html.push_str("</tr>");
    }
    html.push_str("</tbody></table></div>");
}

fn is_number(cell: &str) -> bool {
    cell == "-" || cell.trim_end_matches(" %").replace(',', "").parse::<f64>().is_ok()
}
