use std::borrow::Cow;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::Tensors;
use crate::data::{Class, DataError};
use crate::shape::Shape;
use crate::tensor::Batch;

/// A table of numbers in a text file: a line for each sample, columns with commas between them.
///
/// ```
/// use cnn_core::data::Csv;
/// use cnn_core::prelude::*;
///
/// let table = "width,length,kind\n1.5,2,moth\n0.5,3.25,fly\n";
/// let set = Csv::parse("insects.csv", table)?.classes::<Flat<2>, 2>("kind", &["fly", "moth"])?;
/// assert_eq!(set.inputs().values(), [1.5, 2.0, 0.5, 3.25]);
/// assert_eq!(set.targets()[0].0, 1);
///
/// let error = Csv::parse("insects.csv", "a,kind\n1,0\n2,bee\n")?.classes::<Flat<1>, 2>("kind", &[]).unwrap_err();
/// assert_eq!(error.to_string(), "insects.csv:3: column 2: expected a class below 2, found \"bee\"");
/// # Ok::<(), Error>(())
/// ```
///
/// Fields may stand in quotes, `"a, b"`, within which `""` is a quote; a field ends on the line where it begins.
#[derive(Clone, Debug)]
pub struct Csv {
    path: PathBuf,
    text: String,
    /// Of the columns, in order.
    names: Vec<String>,
    /// The lines of samples, and which they are in the file, from 1.
    lines: Vec<(usize, Range<usize>)>,
}

impl Csv {
    /// Reads a file whose first line has the columns' names.
    ///
    /// # Errors
    ///
    /// [`DataError::Io`], also of a file that is not UTF-8; [`DataError::Empty`] of one without samples; [`DataError::Columns`] of a line
    /// that has more or fewer than the first; [`DataError::Field`] of one whose quotes do not end.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, DataError> {
        let path = path.as_ref();
        let text = fs::read_to_string(path).map_err(|error| DataError::Io { path: path.into(), error })?;
        Self::new(path, text, true)
    }

    /// Reads a file whose first line is a sample already; its columns are named `0`, `1` and so on.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn read_without_names(path: impl AsRef<Path>) -> Result<Self, DataError> {
        let path = path.as_ref();
        let text = fs::read_to_string(path).map_err(|error| DataError::Io { path: path.into(), error })?;
        Self::new(path, text, false)
    }

    /// [`read`](Self::read) of a text; `path` is for messages.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn parse(path: impl AsRef<Path>, text: impl Into<String>) -> Result<Self, DataError> {
        Self::new(path.as_ref(), text.into(), true)
    }

    fn new(path: &Path, text: String, named: bool) -> Result<Self, DataError> {
        // A mark of the byte order, as spreadsheets write it, is no part of a name.
        let mut at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let mut lines = Vec::new();
        for (number, line) in text[at..].split_inclusive('\n').enumerate() {
            let content = line.trim_end_matches(['\r', '\n']);
            if !content.is_empty() {
                lines.push((number + 1, at..at + content.len()));
            }
            at += line.len();
        }
        let mut table = Self { path: path.into(), text, names: Vec::new(), lines };
        let Some((number, first)) = table.lines.first().cloned() else { return Err(table.empty()) };
        let first = table.fields(number, &table.text[first])?;
        let expected = first.len();
        let names = match named {
            true => first.iter().map(|name| name.trim().to_owned()).collect(),
            false => (0..expected).map(|column| column.to_string()).collect(),
        };
        table.names = names;
        table.lines.drain(..usize::from(named));
        if table.lines.is_empty() {
            return Err(table.empty());
        }
        for (line, range) in &table.lines {
            let found = table.fields(*line, &table.text[range.clone()])?.len();
            if found != expected {
                return Err(DataError::Columns { path: path.into(), line: *line, expected, found });
            }
        }
        Ok(table)
    }

    fn empty(&self) -> DataError {
        DataError::Empty { path: self.path.clone(), found: vec![0, self.names.len()] }
    }

    /// The names of the columns.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Samples whose class is in a column, and whose inputs are the other columns, in PyTorch's order: `[c, h, w]` of a map. A class is
    /// one of these names or, without names, a whole number.
    ///
    /// # Errors
    ///
    /// [`DataError::NoColumn`]; [`DataError::InputCounts`] when the others are not as many as a sample has values; [`DataError::Field`] of a
    /// field that is no class, or no finite number.
    pub fn classes<S: Shape, const CLASSES: usize>(
        &self,
        column: &str,
        names: &[&str],
    ) -> Result<Tensors<S, Class<CLASSES>>, DataError> {
        let class = |field: &str| match names {
            [] => field.parse().ok().filter(|&class| class < CLASSES),
            names => names.iter().position(|name| *name == field).filter(|&class| class < CLASSES),
        };
        let expected = match names {
            [] => format!("a class below {CLASSES}"),
            names => format!("one of the classes {}", names.join(", ")),
        };
        let (inputs, fields) = self.columns([column], |field| class(field).ok_or_else(|| expected.clone()))?;
        Tensors::new(inputs, fields.into_iter().map(|[class]| Class(class)).collect())
    }

    /// Samples whose targets are the numbers in these columns, and whose inputs are the other ones, as those of
    /// [`classes`](Self::classes).
    ///
    /// # Errors
    ///
    /// As [`classes`](Self::classes).
    pub fn values<S: Shape, const N: usize>(&self, columns: [&str; N]) -> Result<Tensors<S, [f32; N]>, DataError> {
        let (inputs, targets) = self.columns(columns, number)?;
        Tensors::new(inputs, targets)
    }

    fn columns<S: Shape, T: Copy + Default, const N: usize>(
        &self,
        targets: [&str; N],
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<(Batch<S>, Vec<[T; N]>), DataError> {
        let mut places = [0; N];
        for (place, target) in places.iter_mut().zip(targets) {
            *place = self.names.iter().position(|name| name == target).ok_or_else(|| DataError::NoColumn {
                path: self.path.clone(),
                name: target.to_owned(),
                found: self.names.clone(),
            })?;
        }
        let found = (0..self.names.len()).filter(|column| !places.contains(column)).count();
        if found != S::LEN {
            return Err(DataError::InputCounts { path: self.path.clone(), expected: S::LEN, found });
        }
        let mut inputs = Vec::with_capacity(self.lines.len() * found);
        let mut parsed = Vec::with_capacity(self.lines.len());
        for (line, range) in &self.lines {
            let mut of_line = [T::default(); N];
            for (column, field) in self.fields(*line, &self.text[range.clone()])?.iter().enumerate() {
                let field = field.trim();
                let wrong = |expected| self.field(*line, column, expected, field);
                match places.iter().position(|&place| place == column) {
                    Some(target) => of_line[target] = parse(field).map_err(wrong)?,
                    None => inputs.push(number(field).map_err(wrong)?),
                }
            }
            parsed.push(of_line);
        }
        // As many as samples of this shape have, and at least one.
        Ok((Batch::from_nchw(&inputs).map_err(DataError::other)?, parsed))
    }

    fn field(&self, line: usize, column: usize, expected: String, found: &str) -> DataError {
        DataError::Field { path: self.path.clone(), line, column: column + 1, expected, found: found.to_owned() }
    }

    fn fields<'a>(&self, number: usize, line: &'a str) -> Result<Vec<Cow<'a, str>>, DataError> {
        let mut fields = Vec::new();
        let mut rest = line;
        loop {
            let (field, behind) = if let Some(quoted) = rest.trim_start().strip_prefix('"') {
                let wrong = || self.field(number, fields.len(), "a field whose quotes end".to_owned(), rest);
                let (field, behind) = unquoted(quoted).ok_or_else(wrong)?;
                let behind = behind.trim_start();
                if !behind.is_empty() && !behind.starts_with(',') {
                    return Err(wrong());
                }
                (Cow::Owned(field), behind)
            } else {
                let end = rest.find(',').unwrap_or(rest.len());
                (Cow::Borrowed(&rest[..end]), &rest[end..])
            };
            fields.push(field);
            match behind.strip_prefix(',') {
                Some(next) => rest = next,
                None => return Ok(fields),
            }
        }
    }
}

/// What stands before a closing quote, and what behind it.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let (mut field, mut rest) = (String::new(), text);
    loop {
        let (before, behind) = rest.split_once('"')?;
        field.push_str(before);
        match behind.strip_prefix('"') {
            Some(more) => {
                field.push('"');
                rest = more;
            }
            None => return Some((field, behind)),
        }
    }
}

fn number(field: &str) -> Result<f32, String> {
    let number = field.parse().ok().filter(|number: &f32| number.is_finite());
    number.ok_or_else(|| "a finite number".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::{Chw, Flat};

    fn parse(text: &str) -> Result<Csv, DataError> {
        Csv::parse("t.csv", text)
    }

    fn message<T>(result: Result<T, DataError>) -> String {
        result.map(drop).unwrap_err().to_string()
    }

    #[test]
    fn columns_become_inputs_and_targets() {
        let table = parse("\u{feff}a, b ,y,c,d\r\n1,2,30,3,4\r\n\r\n-5,6e-1,\"-1\", 7 ,8").unwrap();
        assert_eq!(table.names(), ["a", "b", "y", "c", "d"]);
        let set = table.values::<Flat<4>, 1>(["y"]).unwrap();
        assert_eq!(set.inputs().values(), [1.0, 2.0, 3.0, 4.0, -5.0, 0.6, 7.0, 8.0]);
        assert_eq!(set.targets(), [[30.0], [-1.0]]);
        let set = table.values::<Flat<3>, 2>(["d", "y"]).unwrap();
        assert_eq!(set.targets(), [[4.0, 30.0], [8.0, -1.0]]);
        // The order of a map is PyTorch's.
        let set = table.values::<Chw<2, 1, 2>, 1>(["y"]).unwrap();
        assert_eq!(set.inputs().values()[..4], [1.0, 3.0, 2.0, 4.0]);
    }

    #[test]
    fn classes_are_numbers_or_names() {
        let set = parse("y,x\n2,0.5\n0,1").unwrap().classes::<Flat<1>, 3>("y", &[]).unwrap();
        assert_eq!(set.targets(), [Class(2), Class(0)]);
        let names = ["a, b", "say \"c\""];
        let table = parse("y,x\n\"a, b\",1\n\"say \"\"c\"\"\",2").unwrap();
        assert_eq!(table.classes::<Flat<1>, 2>("y", &names).unwrap().targets(), [Class(0), Class(1)]);
        assert_eq!(
            message(table.classes::<Flat<1>, 2>("y", &["a", "b"])),
            "t.csv:2: column 1: expected one of the classes a, b, found \"a, b\""
        );
        let table = parse("y,x\n3,0").unwrap();
        assert_eq!(
            message(table.classes::<Flat<1>, 3>("y", &[])),
            "t.csv:2: column 1: expected a class below 3, found \"3\""
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        assert_eq!(message(parse("")), "t.csv: expected at least one value, found the sizes [0, 0]");
        assert_eq!(message(parse("a,b\n\n")), "t.csv: expected at least one value, found the sizes [0, 2]");
        assert_eq!(message(parse("a,b\n1,2\n\n1,2,3")), "t.csv:4: expected 2 columns, found 3");
        assert_eq!(
            message(parse("a,b\n1,\"2\n")),
            "t.csv:2: column 2: expected a field whose quotes end, found \"\\\"2\""
        );
        assert!(message(parse("a,b\n\"1\"2,3\n")).contains("expected a field whose quotes end"));
        let table = parse("a,b,c\n1,2,\n").unwrap();
        assert_eq!(
            message(table.values::<Flat<2>, 1>(["a"])),
            "t.csv:2: column 3: expected a finite number, found \"\""
        );
        assert_eq!(
            message(table.values::<Flat<1>, 1>(["a"])),
            "t.csv: expected 1 columns of inputs, as many as a sample has values, found 2"
        );
        assert_eq!(message(table.values::<Flat<2>, 1>(["z"])), "t.csv: expected a column \"z\", found a, b, c");
        let table = parse("a,b\n1,inf\n").unwrap();
        assert!(message(table.values::<Flat<1>, 1>(["a"])).contains("expected a finite number, found \"inf\""));
        assert!(message(Csv::read("no-such.csv")).starts_with("no-such.csv: "));
        assert!(message(Csv::read_without_names("no-such.csv")).starts_with("no-such.csv: "));
    }

    #[test]
    fn a_table_without_names_counts_its_columns() {
        let table = Csv::new(Path::new("t.csv"), "7,1\n8,2".into(), false).unwrap();
        assert_eq!(table.names(), ["0", "1"]);
        assert_eq!(table.values::<Flat<1>, 1>(["0"]).unwrap().targets(), [[7.0], [8.0]]);
    }
}
