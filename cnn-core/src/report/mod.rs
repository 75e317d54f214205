//! What a run is to be seen as: curves, mistakes, maps, diagrams, in one file for a browser; and files for TensorBoard.
//!
//! A [`Report`] collects sections and becomes one HTML file that has all pictures in it: it asks for no other file, runs no
//! script, and reads well on a telephone and on paper as on a screen. Knows networks and metrics; knows nothing of training.
//!
//! ```
//! use cnn_core::metric::ConfusionMatrix;
//! use cnn_core::prelude::*;
//! use cnn_core::report::{Diagram, History, Mistake, Picture, Report};
//!
//! network! {
//!     /// A classifier.
//!     pub Net<1, 8, 8> { conv1: conv2d<4, 3>, relu, max_pool2d<2>, flatten, fc: linear<2> }
//! }
//!
//! let (net, mut history, mut confusion) = (Net::new(0), History::new(), ConfusionMatrix::<2>::new());
//! for step in 0..100 {
//!     history.push("training loss", step, 0.7 / (1.0 + step as f64)); // what `Training::backward` returns
//! }
//! confusion.record(1, 0)?;
//! let picture = Tensor::from_nchw(&[0.5; 64])?;
//!
//! let mut report = Report::new("Crosses and circles");
//! report
//!     .text("Run", "100 steps, batches of 32.")
//!     .curves("Loss", "step", &history, &["training loss"])
//!     .confusion("Confusion", &confusion, &["cross", "circle"])
//!     .mistakes("Worst mistakes", vec![Mistake {
//!         picture: Picture::of_values(8, 8, picture.values())?,
//!         truth: "circle".into(),
//!         guess: "cross".into(),
//!         probability: 0.9,
//!     }])
//!     .filters("Filters", &net)
//!     .maps("Maps of a picture", &net, &picture)
//!     .diagram("Network", &Diagram::of::<Net>());
//! assert!(report.html().starts_with("<!DOCTYPE html>"));
//! # let path = std::env::temp_dir().join(format!("report-{}.html", std::process::id()));
//! report.save(&path)?;
//! # std::fs::remove_file(path).unwrap();
//! # Ok::<(), Error>(())
//! ```

mod attention;
mod chart;
mod confusion;
mod diagram;
pub(crate) mod html;
mod maps;
mod page;
mod picture;
mod table;
pub mod tensorboard;

pub use crate::history::History;
pub use attention::{Activation, grad_cam};
pub use diagram::Diagram;
pub use picture::Picture;

use core::fmt::Write;
use std::path::Path;

use html::escape;

use crate::Error;
use crate::io::replace_file;
use crate::metric::ConfusionMatrix;
use crate::network::Network;
use crate::tensor::Tensor;

/// Sections of a page about a run, in the order in which they come. All text means itself: what a class is called, say, is no
/// HTML.
#[derive(Clone, Debug)]
pub struct Report {
    title: String,
    sections: Vec<Section>,
}

#[derive(Clone, Debug)]
struct Section {
    title: String,
    /// Beside others where there is room.
    narrow: bool,
    html: String,
}

/// A picture that a network took for something else.
#[derive(Clone, Debug)]
pub struct Mistake {
    /// What it saw.
    pub picture: Picture,
    /// What it is.
    pub truth: String,
    /// What the network took it for.
    pub guess: String,
    /// How sure of that it was, from 0 to 1.
    pub probability: f64,
}

impl Report {
    /// Without any section.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), sections: Vec::new() }
    }

    /// Lines of text.
    pub fn text(&mut self, title: &str, text: &str) -> &mut Self {
        self.section(title, false, |html| {
            let _ = write!(html, "<p>{}</p>", escape(text));
        })
    }

    /// A table. The first cell of a row says what the row is of.
    pub fn table(&mut self, title: &str, columns: &[&str], rows: &[Vec<String>]) -> &mut Self {
        self.section(title, false, |html| table::write(html, columns, rows))
    }

    /// Series of a history by their names, over what a step of it is: `"step"` or `"epoch"`. A value that is not finite is a
    /// gap; of more values than a line has room for, neighbours are one point, their mean.
    pub fn curves(&mut self, title: &str, unit: &str, history: &History, names: &[&str]) -> &mut Self {
        self.section(title, true, |html| curves(html, unit, history, names))
    }

    /// A confusion matrix with its numbers, or of many classes as a picture, and precision, recall and F1 of each class. A
    /// class without a name goes by its number.
    pub fn confusion<const CLASSES: usize>(
        &mut self,
        title: &str,
        matrix: &ConfusionMatrix<CLASSES>,
        names: &[&str],
    ) -> &mut Self {
        self.section(title, false, |html| confusion::section(html, matrix, names))
    }

    /// Mistakes, the surest first.
    pub fn mistakes(&mut self, title: &str, mut mistakes: Vec<Mistake>) -> &mut Self {
        // What is no number is not sure.
        let sure = |mistake: &Mistake| if mistake.probability.is_nan() { -1.0 } else { mistake.probability };
        mistakes.sort_by(|a, b| sure(b).total_cmp(&sure(a)));
        let pictures = mistakes.into_iter().map(|Mistake { picture, truth, guess, probability }| {
            (picture, format!("{truth}, taken for {guess}\n{} %", confusion::percent(probability)))
        });
        self.pictures(title, &pictures.collect::<Vec<_>>())
    }

    /// Pictures, each with a line of text, such as those of [`grad_cam`].
    pub fn pictures(&mut self, title: &str, pictures: &[(Picture, String)]) -> &mut Self {
        self.section(title, false, |html| {
            if pictures.is_empty() {
                html.push_str("<p class=\"none\">There are none.</p>");
            }
            html.push_str("<div class=\"pictures\">");
            for (picture, caption) in pictures {
                html.push_str("<figure>");
                picture.write_img(html, caption);
                let _ = write!(html, "<figcaption>{}</figcaption></figure>", escape(caption));
            }
            html.push_str("</div>");
        })
    }

    /// The filters of a network's first convolution.
    pub fn filters<N: Network>(&mut self, title: &str, network: &N) -> &mut Self {
        self.section(title, false, |html| maps::filters(html, network))
    }

    /// What each step of a network makes of a sample, see [`feature_maps`](crate::network::feature_maps).
    pub fn maps<N: Network>(&mut self, title: &str, network: &N, input: &Tensor<N::Input>) -> &mut Self {
        self.section(title, false, |html| maps::section(html, network, input))
    }

    /// A network.
    pub fn diagram(&mut self, title: &str, diagram: &Diagram) -> &mut Self {
        self.section(title, false, |html| {
            let svg = diagram.svg();
            let _ = write!(
                html,
                "<p>{}</p><div class=\"scroll diagram\" tabindex=\"0\">{svg}</div>",
                escape(&diagram.says())
            );
        })
    }

    fn section(&mut self, title: &str, narrow: bool, write: impl FnOnce(&mut String)) -> &mut Self {
        let mut html = String::new();
        write(&mut html);
        self.sections.push(Section { title: title.to_owned(), narrow, html });
        self
    }

    /// The page.
    pub fn html(&self) -> String {
        let mut html = String::new();
        let titles = self.sections.iter().enumerate().map(|(number, section)| (number, section.title.as_str()));
        page::begin(&mut html, &self.title, &titles.collect::<Vec<_>>());
        // Writing to a string cannot fail.
        let mut number = 0;
        for sections in self.sections.chunk_by(|one, next| one.narrow && next.narrow) {
            // Two or four make rows of two, others rows of three.
            let is_row = sections[0].narrow;
            if is_row {
                html.push_str(if sections.len().is_multiple_of(2) && sections.len() < 6 {
                    "\n<div class=\"row pairs\">"
                } else {
                    "\n<div class=\"row\">"
                });
            }
            for Section { title, html: inner, .. } in sections {
                let title = escape(title);
                let _ = write!(
                    html,
                    "\n<section id=\"s{number}\" aria-labelledby=\"t{number}\"><h2 id=\"t{number}\">{title}</h2>{inner}</section>"
                );
                number += 1;
            }
            if is_row {
                html.push_str("</div>");
            }
        }
        html + "\n</main></body></html>\n"
    }

    /// Writes the page to a file. One of that name is replaced as a whole, see [`replace_file`].
    ///
    /// # Errors
    ///
    /// [`Error::Io`]; an older file is then as it was.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        replace_file(path, |file| file.write_all(self.html().as_bytes()))
            .map_err(|error| Error::Io { path: path.to_owned(), error })
    }
}

fn curves(html: &mut String, unit: &str, history: &History, names: &[&str]) {
    let Some(chart) = chart::curves(history, names, unit) else {
        html.push_str("<p class=\"none\">There are no values.</p>");
        return;
    };
    html.push_str("<ul class=\"legend\">");
    for (index, name) in names.iter().enumerate() {
        let last = history.series(name).iter().rev().find(|(_, value)| value.is_finite());
        let last =
            last.map_or_else(|| "no values".to_owned(), |(_, value)| format!("{} at the end", chart::brief(*value)));
        let (name, colour) = (escape(name), index % chart::SERIES);
        let _ = write!(html, "<li><span style=\"background:var(--series-{colour})\"></span>{name}: {last}</li>");
    }
    let says = escape(&format!("{} over {unit}", names.join(", ")));
    let svg = chart.svg.replacen("<svg ", &format!("<svg role=\"img\" aria-label=\"{says}\" "), 1);
    let _ = write!(html, "</ul><div class=\"chart\">{svg}</div>");
    if chart.mean_of > 1 {
        let _ = write!(html, "<p class=\"note\">A point is the mean of up to {} values.</p>", chart.mean_of);
    }
}
