//! Arguments for the safe functions of the kernels: most as they should be, some a little off, some absurd.
//!
//! A function may refuse an argument by a panic, but only one that is unsound. AddressSanitizer judges the rest: nothing
//! outside a slice is read or written. libFuzzer judges time and memory: what is refused is refused at once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, Once};

use arbitrary::Unstructured;
use cnn_core::kernel::geometry::{Activation, Layout, Map, Padding};
use cnn_core::kernel::memory::scratch::Needs;
use cnn_core::kernel::pointwise::activation;
use cnn_core::kernel::rows::{Rows, RowsMut};
use cnn_core::kernel::{FusedActivation, Then, Write};

/// Values of a slice at most: huge maps get slices that do not fit them.
const VALUES: usize = 1 << 17;
/// Values that a kernel may work in, where its maps are as they should be: what says that it needs more is believed.
const SCRATCH: usize = 1 << 21;
/// Multiply-adds (or some such unit) of a call at most.
const WORK: usize = 1 << 24;
/// Numbers of a sound call at most.
const SOUND: usize = 1 << 10;

/// Bytes that become arguments.
#[derive(Debug)]
pub struct Arguments<'a>(Unstructured<'a>);

impl<'a> Arguments<'a> {
    /// Zeros follow the last byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(Unstructured::new(bytes))
    }

    fn byte(&mut self) -> u8 {
        self.0.arbitrary().unwrap_or_default()
    }

    /// A number below `count`.
    pub fn below(&mut self, count: usize) -> usize {
        usize::from(self.byte()) % count
    }

    /// Yes or no.
    pub fn yes(&mut self) -> bool {
        self.byte() % 2 == 1
    }

    /// A number that says how large something is.
    pub fn size(&mut self) -> usize {
        /// Around the widths of vectors, panels and strips.
        const WIDTHS: [usize; 14] = [15, 16, 17, 31, 32, 33, 48, 63, 64, 65, 80, 127, 128, 129];
        const HUGE: [usize; 12] = [
            1 << 16,
            (1 << 31) - 1,
            1 << 31,
            1 << 32,
            (1 << 32) + 1,
            1 << 33,
            1 << 48,
            1 << 61,
            1 << 62,
            (1 << 63) - 1,
            1 << 63,
            usize::MAX,
        ];
        match self.byte() {
            byte @ 0..=199 => 1 + usize::from(byte % 8),
            byte @ 200..=229 => usize::from(byte - 200) + 9,
            byte @ 230..=243 => WIDTHS[usize::from(byte - 230)],
            byte @ 244..=253 => {
                let around = usize::from(byte - 244) / 2;
                HUGE[self.below(HUGE.len())].wrapping_add(around).wrapping_sub(2)
            }
            254 => self.0.arbitrary().unwrap_or_default(),
            255 => 0,
        }
    }

    /// A number that is 0 or little, as a padding.
    pub fn margin(&mut self) -> usize {
        match self.byte() {
            byte @ 0..=127 => usize::from(byte % 4),
            _ => self.size(),
        }
    }

    /// A number that is 1 more often than not, as a dilation.
    pub fn step(&mut self) -> usize {
        if self.byte() < 150 { 1 } else { self.size() }
    }

    /// Both of an axis each.
    pub fn pair(&mut self, each: fn(&mut Self) -> usize) -> [usize; 2] {
        [each(self), each(self)]
    }

    /// Zeros around a map.
    pub fn padding(&mut self) -> Padding {
        let [top, left] = self.pair(Self::margin);
        if self.yes() {
            return Padding::symmetric([top, left]);
        }
        Padding { top, bottom: self.margin(), left, right: self.margin() }
    }

    /// The stride of a map with these channels: most stand alone.
    pub fn stride(&mut self, channels: usize) -> usize {
        match self.byte() {
            0..=150 => 0,
            byte @ 151..=220 => channels.wrapping_add(usize::from(byte % 6)),
            _ => self.size(),
        }
    }

    /// The strides of an input and an output.
    pub fn layout(&mut self, in_channels: usize, out_channels: usize) -> Layout {
        Layout { in_stride: self.stride(in_channels), out_stride: self.stride(out_channels) }
    }

    /// Samples of a batch.
    pub fn batch(&mut self) -> usize {
        [1, 2, 3, 0, 1, 5, 8, 17][self.below(8)]
    }

    /// Whether a result is added.
    pub fn write(&mut self) -> Write {
        if self.yes() { Write::Add } else { Write::Store }
    }

    /// One of the rectifiers, or a function that is not applied in registers.
    pub fn fused(&mut self) -> FusedActivation {
        static TANH: Then = activation::then(Activation::Tanh);
        [FusedActivation::None, FusedActivation::Relu, FusedActivation::Relu6, FusedActivation::Then(&TANH)]
            [self.below(4)]
    }

    /// An option: a usual number, or any.
    pub fn option(&mut self, usual: f64) -> f64 {
        if self.byte() < 200 { usual } else { self.0.arbitrary().unwrap_or_default() }
    }

    /// Values that fill their memory to the last. Most have the `right` length, some one more or less, some another.
    pub fn values(&mut self, right: Option<usize>) -> Values {
        let wanted = match (self.byte(), right) {
            (0..=229, right) => right,
            (230..=236, Some(right)) => right.checked_add(1),
            (237..=243, Some(right)) => right.checked_sub(1),
            (244..=249, _) => Some(0),
            _ => Some(self.size()),
        };
        let len = wanted.filter(|&len| len <= VALUES).unwrap_or_default();
        let salt = usize::from(self.byte());
        let mut values: Vec<f32> = (0..len).map(|index| ((index * 7 + salt) % 23) as f32 / 2.0 - 5.5).collect();
        if let Some(value) = values.get_mut(salt * 3) {
            *value = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0, f32::MAX, 1e-40][salt % 6];
        }
        Values { values, right: right == Some(len) }
    }

    /// Perhaps values.
    pub fn maybe(&mut self, right: Option<usize>) -> Option<Values> {
        self.yes().then(|| self.values(right))
    }

    /// A batch of maps.
    pub fn maps(&mut self, map: Option<Map>, batch: usize) -> Values {
        let to_the_end = self.yes();
        let len = map.and_then(|map| {
            let cells = map.size[0].checked_mul(map.size[1])?.checked_mul(batch)?;
            let len = cells.checked_mul(map.stride)?;
            if to_the_end || len == 0 { Some(len) } else { Some(len - (map.stride - map.channels)) }
        });
        self.values(len)
    }

    /// Rows of channels, some of them parts of wider ones.
    pub fn rows(&mut self, channels: usize, rows: usize) -> RowsOf {
        let stride = self.stride(channels);
        let map = attempt(|| Map::new([1, 1], channels, stride));
        RowsOf { values: self.maps(map, rows), stride, right: map.is_some() }
    }
}

/// A slice, and whether its length is the right one.
#[derive(Clone, Debug)]
pub struct Values {
    /// The slice.
    pub values: Vec<f32>,
    /// Whether its length is the right one.
    pub right: bool,
}

/// Whether all of these have the right length.
pub fn right(values: &[&Values]) -> bool {
    values.iter().all(|values| values.right)
}

/// Rows of channels.
#[derive(Clone, Debug)]
pub struct RowsOf {
    values: Values,
    stride: usize,
    right: bool,
}

impl RowsOf {
    /// To read.
    pub fn read(&self) -> Rows<'_> {
        Rows::strided(&self.values.values, self.stride)
    }

    /// To write.
    pub fn write(&mut self) -> RowsMut<'_> {
        RowsMut::strided(&mut self.values.values, self.stride)
    }

    /// Whether there are as many as there should be.
    pub fn right(&self) -> bool {
        self.right && self.values.right
    }
}

/// Whether these numbers are such that no sum or product of a few of them is more than a number can be.
pub fn small(numbers: &[usize]) -> bool {
    numbers.iter().all(|&number| (1..=SOUND).contains(&number))
}

/// Whether the product of these numbers is too much to compute again and again.
pub fn is_much_work(numbers: &[usize]) -> bool {
    let product = numbers.iter().try_fold(1, |product: usize, &number| product.checked_mul(number));
    // What has no samples is no work, however large a sample is.
    product.is_none_or(|product| product > WORK) && !numbers.contains(&0)
}

/// Whether a kernel says that it works in more memory than this machine should give to it.
pub fn is_much_memory(needs: Option<Needs>) -> bool {
    needs.is_some_and(|needs| needs.shared > SCRATCH || needs.per_thread > SCRATCH)
}

/// Whether these are batches of the same size, and not empty: slices that end within a cell may be so, too.
pub fn are_batches(maps: [(Option<Map>, &Values); 2]) -> bool {
    let [first, second] =
        maps.map(|(map, values)| attempt(|| map.map(|map| map.samples(values.values.len()))).flatten());
    first == second && first.is_some_and(|samples| samples > 0)
}

/// Memory for a packed weight, if this machine should give so much to it.
pub fn zeros(len: usize) -> Option<Vec<f32>> {
    (len <= SCRATCH).then(|| vec![0.0; len])
}

/// What a question says, or none where it is refused.
pub fn attempt<R>(question: impl FnOnce() -> R) -> Option<R> {
    quiet();
    catch_unwind(AssertUnwindSafe(question)).ok()
}

/// Calls a kernel, which may refuse what is not sound.
pub fn call(sound: bool, kernel: impl FnOnce()) {
    if attempt(kernel).is_none() && sound {
        let message = MESSAGE.lock().map(|message| message.clone()).unwrap_or_default();
        eprintln!("a sound call was refused: {message}");
        std::process::abort();
    }
}

/// The last panic.
static MESSAGE: Mutex<String> = Mutex::new(String::new());

/// libFuzzer's hook would end the process at a panic.
fn quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|panic| {
            if let Ok(mut message) = MESSAGE.lock() {
                *message = panic.to_string();
            }
        }));
    });
}

/// Replacements in a file, told by bytes.
#[derive(Debug)]
pub struct Edits<'a>(Unstructured<'a>);

impl<'a> Edits<'a> {
    /// As many as the bytes tell.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(Unstructured::new(bytes))
    }

    /// The file after them.
    pub fn of(mut self, file: &[u8]) -> Vec<u8> {
        let mut file = file.to_vec();
        while !self.0.is_empty() {
            let place = usize::from(self.0.arbitrary::<u16>().unwrap_or_default()) % (file.len() + 1);
            let [gone, come] = self.0.arbitrary::<[u8; 2]>().unwrap_or_default().map(usize::from);
            // Most change a few bytes, some cut the end off.
            let end = if gone < 250 { file.len().min(place + gone % 16) } else { file.len() };
            let new = self.0.bytes((come % 16).min(self.0.len())).unwrap_or_default();
            file.splice(place..end, new.iter().copied());
        }
        file
    }
}
