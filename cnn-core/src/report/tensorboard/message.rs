//! What events are made of: messages of protocol buffers, as far as they are written here.
//! <https://protobuf.dev/programming-guides/encoding/>

/// Fields by their numbers. That they are TensorFlow's is for who writes them:
/// <https://github.com/tensorflow/tensorboard/tree/master/tensorboard/compat/proto>.
#[derive(Clone, Debug, Default)]
pub(super) struct Message(Vec<u8>);

impl Message {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// A whole number.
    pub(super) fn number(mut self, field: u8, value: u64) -> Self {
        self.key(field, 0);
        self.varint(value);
        self
    }

    pub(super) fn double(mut self, field: u8, value: f64) -> Self {
        self.key(field, 1);
        self.0.extend(value.to_le_bytes());
        self
    }

    pub(super) fn float(mut self, field: u8, value: f32) -> Self {
        self.key(field, 5);
        self.0.extend(value.to_le_bytes());
        self
    }

    /// Bytes or text.
    pub(super) fn bytes(mut self, field: u8, bytes: &[u8]) -> Self {
        self.key(field, 2);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
        self
    }

    pub(super) fn message(self, field: u8, message: &Self) -> Self {
        self.bytes(field, &message.0)
    }

    /// Several doubles.
    fn doubles(self, field: u8, values: &[f64]) -> Self {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.bytes(field, &bytes)
    }

    /// Fields below 16 take a byte.
    fn key(&mut self, field: u8, kind: u8) {
        self.0.push(field << 3 | kind);
    }

    /// Seven bits a byte, the least first.
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

/// A `HistogramProto` of the finite values. Each bucket goes up to its limit.
pub(super) fn histogram(values: &[f32]) -> Message {
    const BUCKETS: usize = 40;
    let finite = || values.iter().filter(|value| value.is_finite()).map(|value| f64::from(*value));
    let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
    let (mut sum, mut squares, mut count) = (0.0, 0.0, 0.0);
    for value in finite() {
        (least, most) = (least.min(value), most.max(value));
        (sum, squares, count) = (sum + value, squares + value * value, count + 1.0);
    }
    if count == 0.0 {
        (least, most) = (0.0, 0.0);
    }
    let width = if most > least { (most - least) / BUCKETS as f64 } else { 1.0 };
    let buckets = if most > least { BUCKETS } else { 1 };
    let mut counts = vec![0.0; buckets];
    finite().for_each(|value| counts[(((value - least) / width) as usize).min(buckets - 1)] += 1.0);
    let limits: Vec<f64> = (1..=buckets).map(|bucket| least + width * bucket as f64).collect();
    Message::new()
        .double(1, least)
        .double(2, most)
        .double(3, count)
        .double(4, sum)
        .double(5, squares)
        .doubles(6, &limits)
        .doubles(7, &counts)
}
