//! What each kernel reaches of what the machine can: `cargo bench -p cnn-core --bench kernels [-- filter [threads]]`.
//!
//! First the machine itself is measured. Then there are, for each kernel and pass: microseconds, GFLOP/s and their share of the
//! peak; and where memory is the limit, GB/s and their share of what memory can do. Bytes are those of the input, the output
//! and the weights, each once. A share above 100 % is that of data which are still in a cache from the run before. What a
//! convolution has to compute is counted as its definition has it, whatever the algorithm saves.

mod convolution;
mod hand_over;
mod lenet;
mod machine;
mod normalization;
mod pointwise;
mod pooling;
mod work;

use machine::Machine;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let filter = arguments.next().unwrap_or_default();
    let threads = arguments.next().map_or(0, |threads| threads.parse().expect("a number of threads"));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    pool.install(|| {
        let machine = Machine::measure();
        println!("{}", machine.describe());
        println!(
            "of each pass: microseconds, GFLOP/s, of the peak; and where memory is the limit: GB/s, of the memory's"
        );
        convolution::measure(&machine, &filter);
        pooling::measure(&machine, &filter);
        normalization::measure(&machine, &filter);
        pointwise::measure(&machine, &filter);
        pointwise::measure_expressions(&machine, &filter);
        if "hand-over".contains(&filter) {
            hand_over::measure();
        }
        if "lenet".contains(&filter) {
            lenet::measure();
        }
    });
}
