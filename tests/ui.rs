//! What the compiler says of each mistake: a file per mistake, with the message beside it. In `types/` it is rustc that
//! writes, and its words may change with the compiler.

#[test]
fn mistakes_are_explained_where_they_are() {
    let cases = trybuild::TestCases::new();
    for topic in [
        "blocks",
        "expressions",
        "family",
        "joins",
        "maps",
        "names",
        "options",
        "ports",
        "rearranged",
        "share",
        "sizes",
        "syntax",
        "together",
        "types",
        "window",
        "wires",
    ] {
        cases.compile_fail(format!("tests/ui/{topic}/*.rs"));
    }
}

// Apart from those that fail: trybuild checks them all in one go only where none is to be run.
#[test]
fn sound_networks_pass() {
    trybuild::TestCases::new().pass("tests/ui/pass/*.rs");
}
