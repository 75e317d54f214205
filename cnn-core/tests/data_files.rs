//! Folders and files of pictures: what is found in them, and what is said of those that are wrong.

use std::fs;
use std::path::{Path, PathBuf};

use cnn_core::data::*;
use cnn_core::prelude::*;

/// An empty folder of a test.
fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("data_files").join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pictures").join(name)).unwrap()
}

fn write(root: &Path, path: impl AsRef<Path>, bytes: &[u8]) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// What an error says, with paths from a folder on.
fn said<T>(root: &Path, result: Result<T, DataError>) -> String {
    let root = format!("{}/", root.display());
    result.map(drop).unwrap_err().to_string().replace(&root, "").replace(root.trim_end_matches('/'), ".")
}

#[test]
fn classes_and_files_come_in_the_order_of_torchvision() {
    let root = folder("order");
    // By code points: capitals, lower case, then what is beyond.
    for path in ["b/2.PNG", "b/10.png", "B/x.jpeg", "é/1.Jpg", "b/notes.txt", "b/.hidden.png", ".hidden/1.png"] {
        write(&root, path, b"");
    }
    // As `sorted(os.walk(..))`: by the whole path of the folder, in which `/` comes behind `-`.
    for path in ["b/in/1.png", "b/in-side/1.png", "b/in/deep/0.png", "b/.git/1.png"] {
        write(&root, path, b"");
    }
    write(&root, "readme.png", b"");
    let found = ImageFolder::<3>::open(&root).unwrap();
    assert_eq!(found.names(), ["B", "b", "é"]);
    let files: Vec<_> = found.files().iter().map(|file| file.strip_prefix(&root).unwrap().to_str().unwrap()).collect();
    assert_eq!(
        files,
        ["B/x.jpeg", "b/10.png", "b/2.PNG", "b/in/1.png", "b/in-side/1.png", "b/in/deep/0.png", "é/1.Jpg"]
    );
    assert_eq!(found.labels(), [0, 1, 1, 1, 1, 1, 2]);
}

#[test]
fn folders_that_are_no_data_set_are_errors() {
    let root = folder("wrong");
    assert_eq!(said(&root, ImageFolder::<2>::open(&root)), ".: expected a folder for each class, found none");
    write(&root, "cat/1.png", b"");
    fs::create_dir(root.join("dog")).unwrap();
    assert_eq!(said(&root, ImageFolder::<2>::open(&root)), "dog: expected PNG or JPEG files, found none");
    assert_eq!(
        said(&root, ImageFolder::<3>::open(&root)),
        ".: expected a folder for each of 3 classes, found 2: cat, dog"
    );
    for class in 0..9 {
        fs::create_dir_all(root.join("many").join(class.to_string())).unwrap();
    }
    assert!(
        said(&root, ImageFolder::<2>::open(root.join("many"))).ends_with("found 9: 0, 1, 2, 3, 4, 5, 6, 7 and 1 more")
    );
    fs::remove_dir_all(root.join("many")).unwrap();
    write(&root, "dog/1.tiff", b"");
    assert_eq!(
        said(&root, ImageFolder::<2>::open(&root)),
        "dog/1.tiff: expected PNG and JPEG files, found another kind of picture; convert it, or move it elsewhere"
    );
    assert!(said(&root, ImageFolder::<2>::open(root.join("none"))).starts_with("none: "));
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_never_in_circles() {
    use std::os::unix::fs::symlink;

    let root = folder("links");
    write(&root, "elsewhere/more/3.png", b"");
    write(&root, "set/cat/1.png", b"");
    symlink(root.join("elsewhere/more"), root.join("set/dog")).unwrap();
    symlink(root.join("set/cat/1.png"), root.join("set/cat/2.png")).unwrap();
    symlink(root.join("elsewhere"), root.join("set/cat/linked")).unwrap();
    let found = ImageFolder::<2>::open(root.join("set")).unwrap();
    assert_eq!((found.names(), found.labels()), (&["cat".to_owned(), "dog".to_owned()][..], &[0, 0, 0, 1][..]));

    symlink(root.join("set/cat"), root.join("set/cat/self")).unwrap();
    let error = said(&root, ImageFolder::<2>::open(root.join("set")));
    assert_eq!(error, "set/cat/self: a link to a folder that it lies in");
    fs::remove_file(root.join("set/cat/self")).unwrap();
    symlink(root.join("gone"), root.join("set/cat/9.png")).unwrap();
    assert!(said(&root, ImageFolder::<2>::open(root.join("set"))).starts_with("set/cat/9.png: "));
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_text_are_names() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let root = folder("bytes");
    // Python sorts a byte that is no text behind all that is up to U+DC7F, and before U+E000.
    for class in [&b"\xff"[..], "\u{d7ff}".as_bytes(), "\u{e000}".as_bytes()] {
        write(&root, Path::new(OsStr::from_bytes(class)).join("1.png"), &fixture("grey.png"));
    }
    let found = ImageFolder::<3>::open(&root).unwrap();
    assert_eq!(found.names(), ["\u{d7ff}", "\u{fffd}", "\u{e000}"]);
    found.read(1, &mut Canvas::default()).unwrap();
}

/// The one batch of a folder with a single class.
fn loaded(root: &Path) -> Result<Batch<Chw<3, 9, 13>>, DataError> {
    let folder = ImageFolder::<1>::open(root)?;
    let set = Pictures::<_, Chw<3, 9, 13>>::new(folder, Transforms::new())?;
    let mut loader = Loader::new(set, LoaderOptions::new(10).workers(1))?;
    let batch = loader.epoch(0).next().unwrap()?;
    Ok(batch.input.clone())
}

#[test]
fn broken_pictures_are_named() {
    let root = folder("broken");
    write(&root, "cat/1.png", &fixture("rgb.png"));
    assert_eq!(loaded(&root).unwrap().len(), 1);
    for name in ["rgb.png", "grey16.png", "palette4.png", "rgb.jpg", "progressive.jpg", "grey.jpg", "restarts.jpg"] {
        let whole = fixture(name);
        write(&root, "cat/2.jpg", &whole);
        let _ = loaded(&root);
        // A JPEG file ends with two bytes that say so; zune-jpeg does without them where all pixels are there.
        let needed = if name.ends_with("png") { whole.len() } else { whole.len() - 2 };
        for len in (0..needed).step_by(7).chain(needed - 20..needed) {
            write(&root, "cat/2.jpg", &whole[..len]);
            let found = loaded(&root);
            assert!(found.is_err(), "{len} of {} bytes of {name}", whole.len());
            assert!(said(&root, found).starts_with("cat/2.jpg: "));
        }
    }
    write(&root, "cat/2.jpg", &fixture("rgb.png")[..100]);
    assert!(said(&root, loaded(&root)).starts_with("cat/2.jpg: broken PNG: "));
    write(&root, "cat/2.jpg", &fixture("rgb.jpg")[..700]);
    assert!(said(&root, loaded(&root)).starts_with("cat/2.jpg: broken JPEG: "));
    write(&root, "cat/2.jpg", b"GIF89a");
    assert_eq!(
        said(&root, loaded(&root)),
        "cat/2.jpg: expected a PNG or a JPEG file, found one that begins with [47, 49, 46, 38, 39, 61]"
    );
    // A bit of the pixels' data is another one.
    let mut flipped = fixture("rgb.png");
    flipped[120] ^= 4;
    write(&root, "cat/2.jpg", &flipped);
    assert!(said(&root, loaded(&root)).starts_with("cat/2.jpg: broken PNG: "));
}

/// A PNG file whose chunk of this kind is cut to so many bytes, as its checksum says.
fn with_chunk_of(file: &str, kind: &[u8; 4], len: usize) -> Vec<u8> {
    let mut png = fixture(file);
    let at = png.windows(4).position(|bytes| bytes == kind).unwrap();
    let old = u32::from_be_bytes(png[at - 4..at].try_into().unwrap()) as usize;
    let mut crc = flate2::Crc::new();
    crc.update(&png[at..at + 4 + len]);
    png.splice(at + 4 + len..at + 8 + old, crc.sum().to_be_bytes());
    png[at - 4..at].copy_from_slice(&(len as u32).to_be_bytes());
    png
}

#[test]
fn a_palette_of_any_length_is_read_or_an_error() {
    for len in 0..20 {
        // One of less than 3 bytes the decoder finds itself.
        let png = with_chunk_of("palette4.png", b"PLTE", len);
        let found = Decoding::new().decode(Path::new("1.png"), &png, &mut Canvas::default());
        if len > 3 && !len.is_multiple_of(3) {
            let expected =
                format!("1.png: broken PNG: expected a palette of 3 bytes for each colour, found {len} bytes");
            assert_eq!(found.unwrap_err().to_string(), expected);
        }
    }
}

#[test]
fn any_bytes_are_a_picture_or_an_error() {
    let few = Decoding::new().max_pixels(10_000);
    for name in ["rgb.png", "palette4.png", "grey16.png", "rgb.jpg", "progressive.jpg", "turned6.jpg", "turned3.png"] {
        let mut bytes = fixture(name);
        for place in 0..bytes.len() {
            for bit in [0, 3, 7] {
                bytes[place] ^= 1 << bit;
                let _ = few.decode(Path::new(name), &bytes, &mut Canvas::default());
                bytes[place] ^= 1 << bit;
            }
        }
    }
    let mut bytes = fixture("mask_palette.png");
    for place in 0..bytes.len() {
        for bit in 0..8 {
            bytes[place] ^= 1 << bit;
            let mut canvas = Canvas::default();
            canvas.borrow_picture([9, 13], 1, &[0; 9 * 13]);
            let found = few.decode_mask(Path::new("mask"), &bytes, Path::new("picture"), &mut canvas);
            assert!(found.is_err() || canvas.mask().unwrap().iter().all(|&class| class < 4));
            bytes[place] ^= 1 << bit;
        }
    }
}

#[test]
fn a_picture_that_announces_too_much_is_not_unpacked() {
    let root = folder("bomb");
    // 60,000 x 60,000 pixels, in a header of 33 bytes.
    let mut png = fixture("rgb.png");
    png[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    let mut crc = flate2::Crc::new();
    crc.update(&png[12..29]);
    png[29..33].copy_from_slice(&crc.sum().to_be_bytes());
    let mut jpeg = fixture("grey.jpg");
    let header = jpeg.windows(2).position(|marker| marker == [0xff, 0xc0]).unwrap();
    jpeg[header + 5..header + 9].copy_from_slice(&[0xea, 0x60, 0xea, 0x60]);
    for bytes in [png, jpeg] {
        write(&root, "1.png", &bytes);
        let error = Decoding::new().read(&root.join("1.png"), &mut Canvas::default());
        assert_eq!(
            said(&root, error),
            "1.png: expected at most 89478485 pixels, found 3600000000; if the file is to be trusted, allow more (max_pixels)"
        );
    }
    write(&root, "1.png", &fixture("rgb.png"));
    let few = Decoding::new().max_pixels(100).read(&root.join("1.png"), &mut Canvas::default());
    assert!(said(&root, few).starts_with("1.png: expected at most 100 pixels, found 117"));
}

#[test]
fn an_orientation_can_be_ignored() {
    let size = |decoding: Decoding| {
        let mut canvas = Canvas::default();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pictures/turned6.png");
        decoding.read(&path, &mut canvas).unwrap();
        canvas.size()
    };
    assert_eq!((size(Decoding::new()), size(Decoding::new().ignore_orientation())), ([7, 5], [5, 7]));
}

#[test]
fn masks_come_with_their_pictures() {
    let root = folder("masks");
    for (name, mask) in [("a", "mask_grey.png"), ("in/b", "mask_palette.png")] {
        write(&root, format!("pictures/{name}.jpg"), &fixture("rgb.png"));
        write(&root, format!("masks/{name}.png"), &fixture(mask));
    }
    let open = || SegmentationFolder::<3>::open(root.join("pictures"), root.join("masks"));
    let set = Pictures::<_, Chw<3, 9, 13>>::new(open().unwrap(), Transforms::new()).unwrap();
    let mut loader = Loader::new(set, LoaderOptions::new(2)).unwrap();
    let batch = loader.epoch(0).next().unwrap().unwrap();
    let expected: Vec<usize> = (0..2 * 9 * 13).map(|place| place % (9 * 13) % 3).collect();
    assert_eq!(batch.targets.as_slice(), expected);

    // What moves in from outside does not count where a class does not.
    let padded = |folder: SegmentationFolder<3>| {
        let transforms = Transforms::new().then(CenterCrop::of(9, 15));
        let set = Pictures::<_, Chw<3, 9, 15>>::new(folder, transforms).unwrap();
        Loader::new(set, LoaderOptions::new(1)).unwrap().epoch(0).next().unwrap().unwrap().targets.as_slice()[0]
    };
    assert_eq!(padded(open().unwrap()), 0);
    assert_eq!(padded(open().unwrap().ignoring(255).unwrap()), 3);
    assert_eq!(said(&root, open().unwrap().ignoring(2)), "the ignored class 2 is one of the 3 classes");

    let read = |folder: SegmentationFolder<2>| folder.read(0, &mut Canvas::default());
    let two = || SegmentationFolder::<2>::open(root.join("pictures"), root.join("masks")).unwrap();
    assert_eq!(said(&root, read(two())), "masks/a.png: row 0, column 2: expected a class below 2, found 2");
    read(two().ignoring(2).unwrap()).unwrap();
    write(&root, "masks/a.png", &fixture("rgb.png"));
    assert!(said(&root, read(two())).ends_with("(grey or with a palette, up to 8 bits), found Rgb of 8 bits"));
    write(&root, "masks/a.png", &fixture("grey16.png"));
    assert!(said(&root, read(two())).ends_with("found Grayscale of 16 bits"));
    write(&root, "masks/a.png", &fixture("turned1.png"));
    assert!(said(&root, read(two())).contains("found Rgb"));
    write(&root, "pictures/a.jpg", &fixture("turned1.png"));
    write(&root, "masks/a.png", &fixture("mask_grey.png"));
    assert_eq!(
        said(&root, read(two())),
        "masks/a.png: expected a mask of 5 x 7 pixels, as its picture pictures/a.jpg has, found 9 x 13"
    );
    write(&root, "masks/a.png", &fixture("rgb.jpg"));
    assert!(said(&root, read(two())).starts_with("masks/a.png: expected a PNG or a JPEG file"));

    write(&root, "masks/c.png", b"");
    assert_eq!(said(&root, open()), "masks/c.png: expected pictures of the same name, found none");
    write(&root, "pictures/c.png", b"");
    write(&root, "pictures/d.png", b"");
    assert_eq!(said(&root, open()), "pictures/d.png: expected masks of the same name, found none");
    write(&root, "masks/d.png", b"");
    write(&root, "pictures/c.jpg", b"");
    assert_eq!(said(&root, open()), "pictures/c.png: pictures/c.jpg has the same name");
    write(&root, "masks/c.jpg", b"");
    assert_eq!(said(&root, open()), "masks/c.png: masks/c.jpg has the same name");
}

#[test]
fn cifar_files_are_read_or_named() {
    let root = folder("cifar");
    let record = |labels: &[u8], first: u8| {
        let planes = (0..3).flat_map(|plane: u8| (0..1024).map(move |place| first + plane + (place % 2) as u8));
        labels.iter().copied().chain(planes).collect::<Vec<u8>>()
    };
    write(&root, "1.bin", &[record(&[3], 10), record(&[9], 20)].concat());
    write(&root, "2.bin", &record(&[0], 30));
    let files = || ["1.bin", "2.bin"].map(|file| root.join(file));
    let found = LabelledImages::read_cifar10(files()).unwrap();
    assert_eq!((found.len(), found.labels()), (3, &[3, 9, 0][..]));
    // Channels are last.
    assert_eq!(found.images()[1][..6], [20, 21, 22, 21, 22, 23]);
    assert_eq!((found.images().channels(), found.images().height(), found.images().width()), (3, 32, 32));

    write(&root, "100.bin", &record(&[19, 99], 1));
    assert_eq!(LabelledImages::read_cifar100([root.join("100.bin")]).unwrap().labels(), [99]);
    assert_eq!(LabelledImages::read_cifar100_coarse([root.join("100.bin")]).unwrap().labels(), [19]);

    write(&root, "2.bin", &record(&[0], 30)[..3000]);
    assert_eq!(
        said(&root, LabelledImages::read_cifar10(files())),
        "2.bin: truncated: expected records of 3073 bytes each, found 3000 bytes"
    );
    write(&root, "2.bin", b"");
    assert!(said(&root, LabelledImages::read_cifar10(files())).ends_with("found 0 bytes"));
    write(&root, "2.bin", &record(&[10], 30));
    assert_eq!(
        said(&root, LabelledImages::read_cifar10(files())),
        "2.bin: label 0: expected a class below 10, found 10"
    );
    assert!(said(&root, LabelledImages::read_cifar10([root.join("3.bin")])).starts_with("3.bin: "));
    let none: [&Path; 0] = [];
    assert!(said(&root, LabelledImages::read_cifar10(none)).contains("expected at least one value"));
}
