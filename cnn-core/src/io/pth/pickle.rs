//! The machine that pickles are programs for, with nothing that it could call.
//! <https://github.com/python/cpython/blob/main/Lib/pickletools.py>
//!
//! Values refer to one another by number, so that what is shared, or contains itself, is neither copied nor walked: time and
//! memory are linear in the program, whatever it says.

use std::collections::HashMap;

use super::globals::{self, Global, Numbers, Rebuild};
use super::stream::Stream;
use crate::Error;
use crate::error::WeightsProblem;

/// Instructions of a program at most. A tensor takes some thirty of them; all values together, however they are made, some
/// hundred bytes for each.
const MOST_STEPS: usize = 1 << 22;

/// Bytes of the name of a function or a storage: a long one could be told again and again in a few bytes.
const LONGEST_NAME: usize = 1000;
/// Names that are noted before what they are for is known.
const MOST_FOREIGN: usize = 100;

/// What a program made.
#[derive(Debug)]
pub(super) struct Made {
    objects: Vec<Object>,
    pub(super) root: Value,
    /// The keys of the storages, by when they were named first, with the types that they were named with.
    pub(super) storages: Vec<(String, Numbers)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i64),
    LargeInt,
    Float,
    Bytes,
    Global(Global),
    Object(u32),
}

#[derive(Debug)]
pub(super) enum Object {
    Text(String),
    Tuple(Vec<Value>),
    List(Vec<Value>),
    /// Keys and values, as often as they were set.
    Dict(Vec<(Value, Value)>),
    /// A dict of the pairs in a list, as Python 2 wrote it.
    Pairs(Value),
    Storage(Box<Storage>),
    /// What makes it, and of which arguments.
    Tensor(Rebuild, Value),
    /// Which of the names that files of weights have no use for.
    Foreign(usize),
    /// Something without weights.
    Inert,
}

/// Numbers that tensors are views of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Storage {
    /// Which of [`Made::storages`].
    pub(super) place: usize,
    pub(super) numbers: Numbers,
    /// How many numbers it is said to have, or bytes of [`Numbers::Bytes`].
    pub(super) len: u64,
    /// Numbers of the storage before the first that this one has.
    pub(super) offset: u64,
}

impl Made {
    pub(super) fn object(&self, value: Value) -> Option<&Object> {
        match value {
            Value::Object(place) => self.objects.get(place as usize),
            _ => None,
        }
    }

    pub(super) fn text(&self, value: Value) -> Option<&str> {
        match self.object(value) {
            Some(Object::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The elements of a tuple or a list.
    pub(super) fn elements(&self, value: Value) -> Option<&[Value]> {
        match self.object(value) {
            Some(Object::Tuple(elements) | Object::List(elements)) => Some(elements),
            _ => None,
        }
    }

    /// Whether it is a dict with a tensor by name.
    pub(super) fn has_tensors(&self, dict: Value) -> bool {
        let is_tensor =
            |(key, value)| self.text(key).is_some() && matches!(self.object(value), Some(Object::Tensor(..)));
        self.pairs(dict).is_some_and(|mut pairs| pairs.any(is_tensor))
    }

    /// The keys and values of a dict.
    pub(super) fn pairs(&self, dict: Value) -> Option<impl Iterator<Item = (Value, Value)>> {
        let (pairs, list): (&[_], &[_]) = match self.object(dict)? {
            Object::Dict(pairs) => (pairs, &[]),
            Object::Pairs(list) => (&[], self.elements(*list)?),
            _ => return None,
        };
        // What is no pair has no key that a name could be.
        let of_list = list.iter().map(|pair| match self.elements(*pair) {
            Some([key, value]) => (*key, *value),
            _ => (Value::None, Value::None),
        });
        Some(pairs.iter().copied().chain(of_list))
    }

    /// What it is, in words.
    pub(super) fn describe(&self, value: Value) -> &'static str {
        match value {
            Value::None => "None",
            Value::Bool(_) => "a bool",
            Value::Int(_) | Value::LargeInt => "an integer",
            Value::Float => "a float",
            Value::Bytes => "bytes",
            Value::Global(_) => "a type or a function",
            Value::Object(_) => match self.object(value) {
                Some(Object::Text(_)) => "a string",
                Some(Object::Tuple(_)) => "a tuple",
                Some(Object::List(_)) => "a list",
                Some(Object::Dict(_) | Object::Pairs(_)) => "a dict",
                Some(Object::Storage(_)) => "a storage",
                Some(Object::Tensor(Rebuild::Other(what), _)) => what,
                Some(Object::Tensor(..)) => "a tensor",
                Some(Object::Foreign(_) | Object::Inert) | None => "an object",
            },
        }
    }
}

/// Runs the program that begins at the stream's place, to its end.
pub(super) fn run(stream: &mut Stream<'_>) -> Result<Made, Error> {
    let mut machine = Machine {
        stream,
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        made: Made { objects: Vec::new(), root: Value::None, storages: Vec::new() },
        keys: HashMap::new(),
        foreign: Vec::new(),
    };
    for _ in 0..MOST_STEPS {
        if machine.step()? {
            machine.made.root = machine.pop()?;
            return machine.finish();
        }
    }
    Err(machine.stream.problem(&format!("it has more than {MOST_STEPS} instructions")))
}

struct Machine<'m, 's> {
    stream: &'m mut Stream<'s>,
    stack: Vec<Value>,
    /// How long the stack was at each mark.
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
    made: Made,
    /// Places of storages by their keys.
    keys: HashMap<String, usize>,
    /// Names that files of weights have no use for.
    foreign: Vec<String>,
}

impl Machine<'_, '_> {
    /// Does an instruction, and says whether it was the last.
    fn step(&mut self) -> Result<bool, Error> {
        let instruction = self.stream.byte()?;
        match instruction {
            // PROTO
            0x80 => match self.stream.byte()? {
                2..=5 => {}
                other => return Err(self.stream.problem(&format!("expected protocol 2 to 5, found {other}"))),
            },
            // FRAME: how much can be read at once.
            0x95 => self.stream.skip(8)?,
            b'.' => return Ok(true),
            b'(' => self.marks.push(self.stack.len()),
            b'0' => drop(self.pop()?),
            // POP_MARK
            b'1' => drop(self.pop_mark()?),
            // DUP
            b'2' => {
                let top = self.top()?;
                self.stack.push(top);
            }
            b'N' => self.stack.push(Value::None),
            0x88 => self.stack.push(Value::Bool(true)),
            0x89 => self.stack.push(Value::Bool(false)),
            // BININT, BININT1, BININT2
            b'J' => {
                let int = i32::from_le_bytes(self.stream.array()?);
                self.stack.push(Value::Int(int.into()));
            }
            b'K' => {
                let int = self.stream.byte()?;
                self.stack.push(Value::Int(int.into()));
            }
            b'M' => {
                let int = u16::from_le_bytes(self.stream.array()?);
                self.stack.push(Value::Int(int.into()));
            }
            // LONG1, LONG4
            0x8a => {
                let len = self.stream.byte()?;
                self.long(len.into())?;
            }
            0x8b => {
                let len = u32::from_le_bytes(self.stream.array()?);
                self.long(len)?;
            }
            // BINFLOAT
            b'G' => {
                self.stream.skip(8)?;
                self.stack.push(Value::Float);
            }
            // SHORT_BINUNICODE, BINUNICODE, BINUNICODE8
            0x8c => {
                let len = self.stream.byte()?;
                self.text(len.into())?;
            }
            b'X' => {
                let len = self.u32()?;
                self.text(len)?;
            }
            0x8d => {
                let len = u64::from_le_bytes(self.stream.array()?);
                self.text(len)?;
            }
            // SHORT_BINSTRING, BINSTRING: text of Python 2, if it is any.
            b'U' => {
                let len = self.stream.byte()?;
                self.string(len.into())?;
            }
            b'T' => {
                let len = self.u32()?;
                self.string(len)?;
            }
            // SHORT_BINBYTES, BINBYTES, BINBYTES8, BYTEARRAY8
            b'C' => {
                let len = self.stream.byte()?;
                self.skip_bytes(len.into())?;
            }
            b'B' => {
                let len = self.u32()?;
                self.skip_bytes(len)?;
            }
            0x8e | 0x96 => {
                let len = u64::from_le_bytes(self.stream.array()?);
                self.skip_bytes(len)?;
            }
            b')' => self.push(Object::Tuple(Vec::new())),
            b't' => {
                let elements = self.pop_mark()?;
                self.push(Object::Tuple(elements));
            }
            // TUPLE1 to TUPLE3
            0x85..=0x87 => {
                let elements = self.pop_some(usize::from(instruction - 0x84))?;
                self.push(Object::Tuple(elements));
            }
            b']' => self.push(Object::List(Vec::new())),
            b'l' => {
                let elements = self.pop_mark()?;
                self.push(Object::List(elements));
            }
            b'a' => {
                let elements = self.pop_some(1)?;
                self.append(elements)?;
            }
            b'e' => {
                let elements = self.pop_mark()?;
                self.append(elements)?;
            }
            b'}' => self.push(Object::Dict(Vec::new())),
            b'd' => {
                self.push(Object::Dict(Vec::new()));
                let dict = self.pop()?;
                let elements = self.pop_mark()?;
                self.stack.push(dict);
                self.set(&elements)?;
            }
            b's' => {
                let elements = self.pop_some(2)?;
                self.set(&elements)?;
            }
            b'u' => {
                let elements = self.pop_mark()?;
                self.set(&elements)?;
            }
            // EMPTY_SET, ADDITEMS, FROZENSET
            0x8f => self.push(Object::Inert),
            0x90 => {
                self.pop_mark()?;
                self.top()?;
            }
            0x91 => {
                self.pop_mark()?;
                self.push(Object::Inert);
            }
            // GLOBAL, STACK_GLOBAL
            b'c' => {
                let (module, name) = (self.stream.line()?, self.stream.line()?);
                self.global(&module, &name)?;
            }
            0x93 => {
                let names = self.pop_some(2)?;
                let short = |name: &&str| name.len() <= LONGEST_NAME;
                let [module, name] = [0, 1].map(|place| self.made.text(names[place]).filter(short).map(str::to_owned));
                let (Some(module), Some(name)) = (module, name) else {
                    return Err(self.stream.problem("the name of a function is no string, or a long one"));
                };
                self.global(&module, &name)?;
            }
            // REDUCE, NEWOBJ, NEWOBJ_EX, BUILD
            b'R' => {
                let call = self.pop_some(2)?;
                self.call(call[0], call[1])?;
            }
            0x81 => {
                let call = self.pop_some(2)?;
                self.instance(call[0])?;
            }
            0x92 => {
                let call = self.pop_some(3)?;
                self.instance(call[0])?;
            }
            b'b' => {
                self.pop()?;
                let top = self.top()?;
                // What a dict or a tensor has beside its values, such as the `_metadata` of a state_dict.
                if let Some(Object::Foreign(which)) = self.made.object(top) {
                    let class = self.foreign[*which].clone();
                    return Err(self.stream.other(WeightsProblem::Object { class }));
                }
            }
            // BINPERSID
            b'Q' => {
                let id = self.pop()?;
                self.persistent(id)?;
            }
            // BINGET, LONG_BINGET
            b'h' => {
                let place = self.stream.byte()?;
                self.get(place.into())?;
            }
            b'j' => {
                let place = u32::from_le_bytes(self.stream.array()?);
                self.get(place)?;
            }
            // BINPUT, LONG_BINPUT, MEMOIZE
            b'q' => {
                let (place, top) = (self.stream.byte()?, self.top()?);
                self.memo.insert(place.into(), top);
            }
            b'r' => {
                let (place, top) = (u32::from_le_bytes(self.stream.array()?), self.top()?);
                self.memo.insert(place, top);
            }
            0x94 => {
                let (place, top) = (self.memo.len() as u32, self.top()?);
                self.memo.insert(place, top);
            }
            // INST of protocol 0, which is how attacks are often written.
            b'i' => {
                let (module, name) = (self.stream.line()?, self.stream.line()?);
                return Err(self.stream.other(WeightsProblem::Calls { name: format!("{module}.{name}") }));
            }
            other => return Err(self.stream.problem(&format!("no file of weights has the instruction {other:#04x}"))),
        }
        Ok(false)
    }

    fn finish(self) -> Result<Made, Error> {
        match self.foreign.into_iter().next() {
            Some(name) => Err(self.stream.other(WeightsProblem::Calls { name })),
            None => Ok(self.made),
        }
    }

    fn push(&mut self, object: Object) {
        // As many as there are instructions at most, which 32 bits count.
        self.stack.push(Value::Object(self.made.objects.len() as u32));
        self.made.objects.push(object);
    }

    fn pop(&mut self) -> Result<Value, Error> {
        self.pop_some(1).map(|values| values[0])
    }

    /// What is above the last mark may be taken, and no more.
    fn pop_some(&mut self, count: usize) -> Result<Vec<Value>, Error> {
        let bottom = self.marks.last().copied().unwrap_or(0);
        match self.stack.len().checked_sub(count) {
            Some(left) if left >= bottom => Ok(self.stack.split_off(left)),
            _ => Err(self.stream.problem("it takes more from the stack than there is")),
        }
    }

    fn pop_mark(&mut self) -> Result<Vec<Value>, Error> {
        match self.marks.pop() {
            Some(mark) => Ok(self.stack.split_off(mark)),
            None => Err(self.stream.problem("it goes back to a mark that there is not")),
        }
    }

    fn top(&mut self) -> Result<Value, Error> {
        let top = self.pop()?;
        self.stack.push(top);
        Ok(top)
    }

    fn u32(&mut self) -> Result<u64, Error> {
        self.stream.array().map(|bytes| u32::from_le_bytes(bytes).into())
    }

    fn long(&mut self, len: u32) -> Result<(), Error> {
        if len > 8 {
            self.stream.skip(len.into())?;
            self.stack.push(Value::LargeInt);
            return Ok(());
        }
        let bytes = self.stream.bytes(len.into())?;
        // Of the last byte the highest bit is the sign.
        let fill = if bytes.last().is_some_and(|last| last >> 7 == 1) { 0xff } else { 0 };
        let mut whole = [fill; 8];
        whole[..bytes.len()].copy_from_slice(&bytes);
        self.stack.push(Value::Int(i64::from_le_bytes(whole)));
        Ok(())
    }

    fn text(&mut self, len: u64) -> Result<(), Error> {
        match String::from_utf8(self.stream.bytes(len)?) {
            Ok(text) => self.push(Object::Text(text)),
            Err(_) => return Err(self.stream.problem("a string is not UTF-8")),
        }
        Ok(())
    }

    fn string(&mut self, len: u64) -> Result<(), Error> {
        match String::from_utf8(self.stream.bytes(len)?) {
            Ok(text) => self.push(Object::Text(text)),
            Err(_) => self.stack.push(Value::Bytes),
        }
        Ok(())
    }

    fn skip_bytes(&mut self, len: u64) -> Result<(), Error> {
        self.stream.skip(len)?;
        self.stack.push(Value::Bytes);
        Ok(())
    }

    fn top_object(&mut self) -> Result<Option<&mut Object>, Error> {
        Ok(match self.top()? {
            Value::Object(place) => self.made.objects.get_mut(place as usize),
            _ => None,
        })
    }

    /// Elements for the list on the stack.
    fn append(&mut self, elements: Vec<Value>) -> Result<(), Error> {
        match self.top_object()? {
            Some(Object::List(list)) => list.extend(elements),
            Some(Object::Inert) => {}
            _ => return Err(self.stream.problem("it appends to what is no list")),
        }
        Ok(())
    }

    /// Keys and values for the dict on the stack.
    fn set(&mut self, elements: &[Value]) -> Result<(), Error> {
        let (pairs, []) = elements.as_chunks() else {
            return Err(self.stream.problem("a key has no value"));
        };
        match self.top_object()? {
            Some(Object::Dict(dict)) => dict.extend(pairs.iter().map(|[key, value]| (*key, *value))),
            Some(Object::Inert) => {}
            _ => return Err(self.stream.problem("it sets items of what is no dict")),
        }
        Ok(())
    }

    fn get(&mut self, place: u32) -> Result<(), Error> {
        match self.memo.get(&place) {
            Some(value) => self.stack.push(*value),
            None => return Err(self.stream.problem(&format!("it remembers no value {place}"))),
        }
        Ok(())
    }

    fn global(&mut self, module: &str, name: &str) -> Result<(), Error> {
        match globals::find(module, name) {
            Some(global) => self.stack.push(Value::Global(global)),
            None if self.foreign.len() == MOST_FOREIGN => {
                let name = self.foreign[0].clone();
                return Err(self.stream.other(WeightsProblem::Calls { name }));
            }
            // What it is for is known when it is used.
            None => {
                self.push(Object::Foreign(self.foreign.len()));
                self.foreign.push(format!("{module}.{name}"));
            }
        }
        Ok(())
    }

    fn call(&mut self, function: Value, arguments: Value) -> Result<(), Error> {
        let Some(Object::Tuple(given)) = self.made.object(arguments) else {
            return Err(self.stream.problem("the arguments of a call are no tuple"));
        };
        let first = given.first().copied();
        match function {
            Value::Global(Global::Dict) => match first {
                Some(list) if self.made.elements(list).is_some() => self.push(Object::Pairs(list)),
                _ => self.push(Object::Dict(Vec::new())),
            },
            Value::Global(Global::Rebuild(Rebuild::Parameter)) => match first {
                Some(tensor) if matches!(self.made.object(tensor), Some(Object::Tensor(..))) => self.stack.push(tensor),
                _ => self.push(Object::Tensor(Rebuild::Other("a parameter of no tensor"), arguments)),
            },
            Value::Global(Global::Rebuild(Rebuild::FromType)) => match given[..] {
                [Value::Global(Global::Rebuild(rebuild)), Value::Global(_), arguments, _]
                    if rebuild != Rebuild::FromType && rebuild != Rebuild::Parameter =>
                {
                    self.push(Object::Tensor(rebuild, arguments));
                }
                _ => self.push(Object::Tensor(Rebuild::Other("a tensor of another type"), arguments)),
            },
            Value::Global(Global::Rebuild(rebuild)) => self.push(Object::Tensor(rebuild, arguments)),
            Value::Global(Global::Inert) => self.push(Object::Inert),
            _ => match self.made.object(function) {
                Some(Object::Foreign(which)) => {
                    let name = self.foreign[*which].clone();
                    return Err(self.stream.other(WeightsProblem::Calls { name }));
                }
                _ => return Err(self.stream.problem("it calls what is no function")),
            },
        }
        Ok(())
    }

    fn instance(&mut self, class: Value) -> Result<(), Error> {
        match class {
            Value::Global(Global::Dict) => self.push(Object::Dict(Vec::new())),
            Value::Global(Global::Inert) => self.push(Object::Inert),
            _ => match self.made.object(class) {
                Some(Object::Foreign(which)) => {
                    let class = self.foreign[*which].clone();
                    return Err(self.stream.other(WeightsProblem::Object { class }));
                }
                _ => return Err(self.stream.problem("it makes an object of what is no class")),
            },
        }
        Ok(())
    }

    /// `('storage', type, key, location, len)`, and in files before version 1.6 a view or none behind it, whose
    /// `(key, offset, len)` is part of the storage; or `('module', class, ..)`.
    fn persistent(&mut self, id: Value) -> Result<(), Error> {
        let fields = self.made.elements(id).unwrap_or(&[]);
        let kind = fields.first().and_then(|kind| self.made.text(*kind));
        if let (Some("module"), Some(class)) = (kind, fields.get(1)) {
            let class = match self.made.object(*class) {
                Some(Object::Foreign(which)) => self.foreign[*which].clone(),
                _ => "a module".to_owned(),
            };
            return Err(self.stream.other(WeightsProblem::Object { class }));
        }
        let (Some("storage"), [_, Value::Global(Global::Numbers(numbers)), key, _, Value::Int(len), view @ ..]) =
            (kind, fields)
        else {
            return Err(self.stream.problem("it refers to what is no storage"));
        };
        let (numbers, mut offset, mut len) = (*numbers, 0, *len);
        match view {
            [] | [Value::None] => {}
            [view] => match self.made.elements(*view) {
                Some([_, Value::Int(from), Value::Int(count)])
                    if *from >= 0 && from.checked_add(*count) <= Some(len) =>
                {
                    (offset, len) = (*from, *count);
                }
                _ => return Err(self.stream.problem("a view is not within its storage")),
            },
            _ => return Err(self.stream.problem("it refers to what is no storage")),
        }
        let key = self.made.text(*key).filter(|key| key.len() <= LONGEST_NAME);
        let (Ok(len), Some(key)) = (u64::try_from(len), key) else {
            return Err(self.stream.problem("it refers to what is no storage"));
        };
        let place = match self.keys.get(key) {
            Some(place) => *place,
            None => {
                self.keys.insert(key.to_owned(), self.made.storages.len());
                self.made.storages.push((key.to_owned(), numbers));
                self.made.storages.len() - 1
            }
        };
        let storage = Storage { place, numbers, len, offset: offset as u64 };
        self.push(Object::Storage(Box::new(storage)));
        Ok(())
    }
}
