//! A diagram as SVG.

use core::fmt::Write;

use super::graph::{Graph, Item};
use super::place::{Drawing, INSET, Kind, LINE, Line, NAME, SMALL, Shown, TITLE, drawing};
use crate::report::html::escape;

/// Around all.
const MARGIN: f64 = 8.0;

/// Colours are the page's where it has them: of a picture alone, its own, also for dark surroundings.
const STYLE: &str = "\
.cnn-diagram{--ink:#1f2933;--soft:#52606d;--line:#7b8794;--frame:#cbd2d9;--box:#fff;--within:#f5f7fa;--deep:#e9edf2;\
--trained:#e3f0fb;--trained-line:#4f93cc;--join:#fdf0d5;--join-line:#c79a3a;--closed:#e8e6f8;--closed-line:#7d74c9}\
@media(prefers-color-scheme:dark){.cnn-diagram{--ink:#e8ecf0;--soft:#b1bac4;--line:#8b98a5;--frame:#46525e;--box:#20272e;\
--within:#1a2026;--deep:#232b33;--trained:#17324a;--trained-line:#4f93cc;--join:#3d3216;--join-line:#c79a3a;--closed:#2b2850;\
--closed-line:#8f87dd}}\
.cnn-diagram text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;fill:var(--ink)}\
.cnn-diagram .soft{fill:var(--soft)}.cnn-diagram .frame{stroke:var(--frame)}\
.cnn-diagram .edge{fill:none;stroke:var(--line);stroke-width:1.4}.cnn-diagram .head{fill:var(--line)}";

pub(super) fn svg(graph: &Graph, items: &[Item]) -> String {
    let drawing = drawing(graph, items);
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut text, graph, &drawing);
    text
}

fn write(text: &mut String, graph: &Graph, drawing: &Drawing) -> core::fmt::Result {
    let [width, height] = [drawing.width, drawing.height].map(|size| (size + 2.0 * MARGIN).ceil());
    let says = escape(&graph.says());
    write!(
        text,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"cnn-diagram\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"{:.0} {:.0} {width} {height}\" role=\"img\" aria-label=\"{says}\"><title>{says}</title><style>{STYLE}</style>",
        -MARGIN, -MARGIN,
    )?;
    for frame in &drawing.frames {
        let ([x, y], [width, height]) = (frame.at, frame.size);
        let fill = if frame.level % 2 == 0 { "within" } else { "deep" };
        write!(
            text,
            "<rect class=\"frame\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"8\" style=\"fill:var(--{fill})\"/>"
        )?;
    }
    for line in &drawing.edges {
        edge(text, line)?;
    }
    for frame in &drawing.frames {
        let (x, y) = (frame.name_at, frame.at[1] + NAME - 5.0);
        let name = escape(&frame.name);
        write!(
            text,
            "<text class=\"soft\" x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{SMALL}\" font-weight=\"600\">{name}</text>"
        )?;
    }
    for shown in &drawing.boxes {
        of_box(text, shown)?;
    }
    text.push_str("</svg>");
    Ok(())
}

/// Straight down, and around the corner between two layers.
fn edge(text: &mut String, Line { stretches, arrives }: &Line) -> core::fmt::Result {
    /// Of the arrow's head.
    const HEAD: f64 = 6.0;
    let mut path = String::new();
    let mut at = [0.0, 0.0];
    for (index, [start, end]) in stretches.iter().enumerate() {
        if index == 0 {
            write!(path, "M{:.1} {:.1}", start[0], start[1])?;
        } else if (start[0] - at[0]).abs() < 0.5 {
            write!(path, "V{:.1}", start[1])?;
        } else {
            let middle = (at[1] + start[1]) / 2.0;
            write!(path, "C{:.1} {middle:.1} {:.1} {middle:.1} {:.1} {:.1}", at[0], start[0], start[0], start[1])?;
        }
        write!(path, "V{:.1}", end[1])?;
        at = *end;
    }
    write!(text, "<path class=\"edge\" d=\"{path}\"/>")?;
    if *arrives {
        let [x, y] = at;
        let (left, right, back) = (x - HEAD / 1.6, x + HEAD / 1.6, y - HEAD);
        write!(text, "<path class=\"head\" d=\"M{left:.1} {back:.1}H{right:.1}L{x:.1} {y:.1}Z\"/>")?;
    }
    Ok(())
}

fn of_box(out: &mut String, Shown { at: [x, y], size: [width, height], text }: &Shown) -> core::fmt::Result {
    let (fill, stroke) = match text.kind {
        Kind::Trained => ("trained", "trained-line"),
        Kind::Join => ("join", "join-line"),
        Kind::Closed => ("closed", "closed-line"),
        Kind::Input | Kind::Plain => ("box", "line"),
    };
    let round = if text.kind == Kind::Input { height / 2.0 } else { 5.0 };
    write!(
        out,
        "<g><title>{}</title><rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"{round:.1}\" \
         style=\"fill:var(--{fill});stroke:var(--{stroke})\"/>",
        escape(&text.whole),
    )?;
    let (left, right) = (x + INSET, x + width - INSET);
    let middle = x + width / 2.0;
    let mut line = y + 5.0 + LINE - 4.0;
    let title = escape(&text.title);
    write!(
        out,
        "<text x=\"{middle:.1}\" y=\"{line:.1}\" font-size=\"{TITLE}\" font-weight=\"600\" text-anchor=\"middle\">{title}</text>"
    )?;
    for said in &text.lines {
        line += LINE;
        let said = escape(said);
        write!(
            out,
            "<text x=\"{middle:.1}\" y=\"{line:.1}\" font-size=\"{SMALL}\" text-anchor=\"middle\">{said}</text>"
        )?;
    }
    line += LINE;
    if text.parameters.is_empty() {
        write!(
            out,
            "<text class=\"soft\" x=\"{middle:.1}\" y=\"{line:.1}\" font-size=\"{SMALL}\" text-anchor=\"middle\">{}</text></g>",
            text.shape
        )
    } else {
        write!(
            out,
            "<text class=\"soft\" x=\"{left:.1}\" y=\"{line:.1}\" font-size=\"{SMALL}\">{}</text>\
             <text class=\"soft\" x=\"{right:.1}\" y=\"{line:.1}\" font-size=\"{SMALL}\" text-anchor=\"end\">{}</text></g>",
            text.shape, text.parameters
        )
    }
}
