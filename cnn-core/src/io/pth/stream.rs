//! Part of a file, byte by byte.

use crate::Error;
use crate::error::WeightsProblem;
use crate::io::source::Source;

/// Bytes that are read at a time.
const PIECE: u64 = 1 << 16;

/// Bytes from one place of a file to another, in order.
pub(super) struct Stream<'s> {
    source: &'s Source<'s>,
    /// The next byte's place in the file.
    pub(super) at: u64,
    end: u64,
    piece: Vec<u8>,
    /// Where the piece is in the file.
    begin: u64,
}

impl<'s> Stream<'s> {
    pub(super) fn new(source: &'s Source<'_>, at: u64, end: u64) -> Self {
        Self { source, at, end, piece: Vec::new(), begin: at }
    }

    pub(super) fn byte(&mut self) -> Result<u8, Error> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn array<const BYTES: usize>(&mut self) -> Result<[u8; BYTES], Error> {
        self.check(BYTES as u64)?;
        let held = self.begin + self.piece.len() as u64 - self.at;
        if held < BYTES as u64 {
            self.piece = self.source.read(self.at, PIECE.min(self.end - self.at), None)?;
            self.begin = self.at;
        }
        let from = (self.at - self.begin) as usize;
        self.at += BYTES as u64;
        Ok(*self.piece[from..].first_chunk().expect("the piece holds them"))
    }

    /// So many bytes, for which memory is taken only if they are there.
    pub(super) fn bytes(&mut self, count: u64) -> Result<Vec<u8>, Error> {
        self.check(count)?;
        let from = (self.at - self.begin) as usize;
        let bytes = match self.piece.get(from..).and_then(|rest| rest.get(..usize::try_from(count).ok()?)) {
            Some(bytes) => bytes.to_vec(),
            None => {
                self.piece.clear();
                self.begin = self.at + count;
                self.source.read(self.at, count, None)?
            }
        };
        self.at += count;
        Ok(bytes)
    }

    pub(super) fn skip(&mut self, count: u64) -> Result<(), Error> {
        self.check(count)?;
        self.at += count;
        if self.at > self.begin + self.piece.len() as u64 {
            self.piece.clear();
            self.begin = self.at;
        }
        Ok(())
    }

    /// Text up to the end of a line, which is not long.
    pub(super) fn line(&mut self) -> Result<String, Error> {
        const LONGEST: usize = 1000;
        let mut line = Vec::new();
        loop {
            match self.byte()? {
                b'\n' => break,
                _ if line.len() == LONGEST => return Err(self.problem("a name has more than 1000 bytes")),
                byte => line.push(byte),
            }
        }
        String::from_utf8(line).map_err(|_| self.problem("a name is not UTF-8"))
    }

    fn check(&self, count: u64) -> Result<(), Error> {
        if count <= self.end - self.at {
            return Ok(());
        }
        Err(self.problem(&format!("expected {count} more bytes, found {}", self.end - self.at)))
    }

    /// A problem with what was read last.
    pub(super) fn problem(&self, what: &str) -> Error {
        self.source.problem(WeightsProblem::Pickle { at: self.at, what: what.to_owned() })
    }

    pub(super) fn other(&self, problem: WeightsProblem) -> Error {
        self.source.problem(problem)
    }
}
