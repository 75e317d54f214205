//! The little of JSON that the header of a safetensors file is made of. It recurses nowhere and keeps nothing, so that no
//! header costs more than a walk over its bytes, and what it says of a mistake is made for the format. Knows no tensors.

use std::borrow::Cow;
use std::fmt::Write;

/// What should have stood somewhere, and what does.
#[derive(Debug)]
pub(super) struct Mistake {
    pub(super) expected: &'static str,
    pub(super) found: String,
}

/// A place in a text.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// Where the text begins in its file.
    offset: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str, offset: usize) -> Self {
        Self { text, at: 0, offset }
    }

    /// The next byte that is no space.
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while matches!(bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    /// Goes behind this byte, if it is the next.
    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    pub(super) fn expect(&mut self, byte: u8, expected: &'static str) -> Result<(), Mistake> {
        if self.take(byte) { Ok(()) } else { Err(self.mistake(expected)) }
    }

    pub(super) fn expect_end(&mut self) -> Result<(), Mistake> {
        if self.peek().is_none() { Ok(()) } else { Err(self.mistake("the end of the header")) }
    }

    /// What stands between these two, with commas between the parts, each of which `part` reads.
    pub(super) fn list<E: From<Mistake>>(
        &mut self,
        [open, close]: [u8; 2],
        expected: &'static str,
        mut part: impl FnMut(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        self.expect(open, expected)?;
        if self.take(close) {
            return Ok(());
        }
        loop {
            part(self)?;
            if self.take(close) {
                return Ok(());
            }
            self.expect(b',', if close == b'}' { "`,` or `}`" } else { "`,` or `]`" })?;
        }
    }

    pub(super) fn string(&mut self, expected: &'static str) -> Result<Cow<'a, str>, Mistake> {
        self.expect(b'"', expected)?;
        let mut unescaped = String::new();
        loop {
            let text = self.text;
            let plain = text[self.at..].bytes().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)).count();
            let plain = &text[self.at..self.at + plain];
            self.at += plain.len();
            match text.as_bytes().get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(if unescaped.is_empty() { Cow::Borrowed(plain) } else { Cow::Owned(unescaped + plain) });
                }
                Some(b'\\') => {
                    unescaped.push_str(plain);
                    unescaped.push(self.escape()?);
                }
                _ => return Err(self.mistake("the rest of a string")),
            }
        }
    }

    /// A character that is written as a backslash and what is behind it.
    fn escape(&mut self) -> Result<char, Mistake> {
        const EXPECTED: &str = "an escape of JSON";
        let kind = self.text.as_bytes().get(self.at + 1).copied();
        let character = match kind {
            Some(kind @ (b'"' | b'\\' | b'/')) => char::from(kind),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let unit = |at: usize| -> Option<u16> {
                    let digits = self.text.get(at..at + 6)?.strip_prefix("\\u")?;
                    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
                    is_hex.then(|| u16::from_str_radix(digits, 16).ok())?
                };
                let units = unit(self.at).into_iter().chain(unit(self.at + 6));
                let Some(Ok(character)) = char::decode_utf16(units).next() else { return Err(self.mistake(EXPECTED)) };
                // What is beyond the first plane takes two.
                self.at += 6 * character.len_utf16();
                return Ok(character);
            }
            _ => return Err(self.mistake(EXPECTED)),
        };
        self.at += 2;
        Ok(character)
    }

    pub(super) fn whole_number(&mut self, expected: &'static str) -> Result<u64, Mistake> {
        self.peek();
        let rest = &self.text[self.at..];
        let digits = &rest[..rest.bytes().take_while(u8::is_ascii_digit).count()];
        let goes_on = matches!(rest.as_bytes().get(digits.len()), Some(b'.' | b'e' | b'E'));
        let has_leading_zero = digits.len() > 1 && digits.starts_with('0');
        match digits.parse() {
            Ok(number) if !goes_on && !has_leading_zero => {
                self.at += digits.len();
                Ok(number)
            }
            _ => Err(self.mistake(expected)),
        }
    }

    /// That the next is something else.
    fn mistake(&mut self, expected: &'static str) -> Mistake {
        const SHOWN: usize = 24;
        let rest = &self.text[self.at..];
        let is_part = |character: &char| !character.is_whitespace() && !r#",:[]{}""#.contains(*character);
        let mut word: String = rest.chars().take(SHOWN).take_while(is_part).collect();
        if word.is_empty() {
            word.extend(rest.chars().next());
        }
        let place = self.offset + self.at;
        let found = match word.as_str() {
            "" => "the end of the header".to_owned(),
            word => format!("{} at byte {place}", word.escape_debug()),
        };
        Mistake { expected, found }
    }
}

/// A string as JSON writes it.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\0'..' ' => write!(quoted, "\\u{:04x}", u32::from(character)).expect("a string takes all"),
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(text: &str) -> Result<String, String> {
        Scanner::new(text, 0).string("a string").map(Cow::into_owned).map_err(|mistake| mistake.found)
    }

    #[test]
    fn strings_are_those_of_json() {
        for (text, value) in [
            (r#"  "conv.weight""#, "conv.weight"),
            (r#""""#, ""),
            (r#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
            (r#""a\u00e9\u4e2d\ud83d\ude00z""#, "aé中😀z"),
            ("\"é中😀\"", "é中😀"),
        ] {
            assert_eq!(string(text).as_deref(), Ok(value), "{text}");
        }
        for text in [
            "",
            "a",
            "\"",
            "\"a",
            "\"\n\"",
            r#""\x""#,
            r#""\u12""#,
            r#""\u+123""#,
            r#""\ud800""#,
            r#""\ud800\u0041""#,
            r#""\udc00""#,
            r#""\"#,
            r#""\u00é""#,
        ] {
            assert!(string(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_quoted_is_read_again() {
        for text in ["conv.weight", "", "\"\\\n\0\u{1f}é😀"] {
            assert_eq!(string(&quote(text)).as_deref(), Ok(text));
        }
    }

    #[test]
    fn whole_numbers_have_no_sign_fraction_or_leading_zero() {
        let number = |text| Scanner::new(text, 8).whole_number("a number").map_err(|mistake| mistake.found);
        assert_eq!((number("0"), number(" 18446744073709551615,")), (Ok(0), Ok(u64::MAX)));
        for (text, found) in [
            ("-4, 8", "-4 at byte 8"),
            ("18446744073709551616", "18446744073709551616 at byte 8"),
            ("1e3", "1e3 at byte 8"),
            ("1.0]", "1.0 at byte 8"),
            ("01", "01 at byte 8"),
            ("  \"4\"", "\\\" at byte 10"),
            ("null", "null at byte 8"),
            ("", "the end of the header"),
        ] {
            assert_eq!(number(text), Err(found.to_owned()), "{text}");
        }
    }
}
