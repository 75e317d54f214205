//! The instruction set that is forced is the one that runs.

use cnn_core::kernel::isa::{self, Isa, IsaError};
use std::process::Command;

/// What this test program says when it runs itself with a value of `CNN_ISA`.
fn said_with(value: &str) -> String {
    let program = std::env::current_exe().expect("this program");
    // Where an emulator runs this, nobody else knows to run it in that.
    let emulator = std::env::var("CNN_EMULATOR").unwrap_or_default();
    let mut command = match emulator.split_whitespace().collect::<Vec<_>>().as_slice() {
        [] => Command::new(program),
        [emulator, options @ ..] => {
            let mut command = Command::new(emulator);
            command.args(options).arg(program);
            command
        }
    };
    let output = command
        .args(["says_what_runs", "--exact", "--nocapture"])
        .env("CNN_ISA", value)
        .output()
        .expect("this program runs");
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn says_what_runs() {
    match isa::selected() {
        Ok(isa) => println!("selected {}, running {}", isa.name(), isa::name()),
        Err(error) => println!("error: {error}, running {}", isa::name()),
    }
}

#[test]
fn the_forced_set_is_what_runs() {
    for isa in Isa::available() {
        let expected = format!("selected {0}, running {0}", isa.name());
        let said = said_with(isa.name());
        assert!(said.contains(&expected), "expected `{expected}` in:\n{said}");
    }
}

#[test]
fn an_unknown_set_is_an_error_that_is_said() {
    assert_eq!(Isa::by_name("sse9"), Err(IsaError::Unknown("sse9".to_owned())));
    let said = said_with("sse9");
    assert!(said.contains("error: CNN_ISA: unknown instruction set `sse9`"), "{said}");
    assert!(said.contains("; using the best set"), "{said}");
}

#[test]
fn a_set_of_another_processor_is_an_error() {
    let other = if cfg!(target_arch = "aarch64") { "avx2" } else { "neon" };
    assert_eq!(Isa::by_name(other), Err(IsaError::Unavailable(other.to_owned())));
}

#[test]
fn a_set_for_one_thread_ends_with_its_scope() {
    let before = isa::name();
    let portable = Isa::by_name("portable").expect("portable is everywhere");
    assert_eq!(isa::with(portable, isa::name), "portable");
    assert_eq!(isa::name(), before);
}
