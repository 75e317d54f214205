//! Reports, diagrams and class-activation maps of networks.

#[path = "../examples/networks/mod.rs"]
pub mod networks;

use cnn_core::metric::ConfusionMatrix;
use cnn_core::prelude::*;
use cnn_core::report::{Diagram, History, Mistake, Picture, Report, grad_cam};

network! {
    /// A classifier that ends in a global average pooling and a linear layer.
    Pooled<1, 6, 6> { a: conv2d<3, 3>(padding = 1), relu, adaptive_avg_pool2d<1>, flatten, fc: linear<4>, softmax }

    /// A residual block, branches that meet, and a map that goes past a block.
    Joined<3, 8, 8> {
        stem: [conv: conv2d<4, 3>(padding = 1, bias = false), bn: batch_norm2d, relu] as x,
        block: [add { [conv1: conv2d<4, 3>(padding = 1), relu, conv2: conv2d<4, 3>(padding = 1)], [] }, relu] as y,
        x, concat { y, near: conv2d<2, 1>, far: [conv2d<2, 3>(padding = 1), max_pool2d<3>(stride = 1, padding = 1)] },
        head: conv2d<5, 1>,
    }

    /// A network within another.
    Outer<3, 8, 8> { inner: Joined, flatten, fc: linear<2> }

    /// No maps with places.
    Features<4> { linear<3>, tanh, linear<2> }
}

fn picture() -> Tensor<Chw<1, 6, 6>> {
    let values: Vec<f32> = (0_u8..36).map(|index| f32::from(index * 7 % 11) / 5.0 - 1.0).collect();
    Tensor::from_nchw(&values).unwrap()
}

/// The boxes of a diagram: left, top, right, bottom.
fn boxes(svg: &str, class: &str) -> Vec<[f64; 4]> {
    let number = |tag: &str, name: &str| -> f64 {
        let rest = tag.split(&format!(" {name}=\"")).nth(1).unwrap();
        rest.split('"').next().unwrap().parse().unwrap()
    };
    let tags = svg.split("<rect").skip(1).map(|rest| rest.split('>').next().unwrap());
    let tags = tags.filter(|tag| tag.contains("class=\"frame\"") == (class == "frame"));
    tags.map(|tag| {
        let [x, y, width, height] = ["x", "y", "width", "height"].map(|name| number(tag, name));
        [x, y, x + width, y + height]
    })
    .collect()
}

fn overlap(a: &[f64; 4], b: &[f64; 4]) -> bool {
    a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]
}

fn contains(a: &[f64; 4], b: &[f64; 4]) -> bool {
    a[0] <= b[0] && a[1] <= b[1] && b[2] <= a[2] && b[3] <= a[3]
}

/// That no two boxes overlap, and frames only as one within another.
fn is_tidy<N: Network>(depth: usize) {
    let svg = Diagram::of::<N>().depth(depth).svg();
    let (boxes, frames) = (boxes(&svg, "box"), boxes(&svg, "frame"));
    assert!(!boxes.is_empty(), "{}", N::NAME);
    for (index, one) in boxes.iter().enumerate() {
        assert!(boxes[index + 1..].iter().all(|other| !overlap(one, other)), "{} {one:?}", N::NAME);
        assert!(frames.iter().all(|frame| !overlap(one, frame) || contains(frame, one)), "{} {one:?}", N::NAME);
    }
    for (index, one) in frames.iter().enumerate() {
        let apart = |other: &[f64; 4]| !overlap(one, other) || contains(one, other) || contains(other, one);
        assert!(frames[index + 1..].iter().all(apart), "{} {one:?}", N::NAME);
    }
}

#[test]
fn nothing_overlaps_in_a_diagram() {
    use networks::{DenseNet121, Detector, GoogLeNet, ResNet18, ShuffleNetV2, UNet};
    for depth in [1, 2, usize::MAX] {
        is_tidy::<Joined>(depth);
        is_tidy::<Outer>(depth);
        is_tidy::<Features>(depth);
        is_tidy::<ResNet18>(depth);
        is_tidy::<UNet>(depth);
        is_tidy::<GoogLeNet>(depth);
        is_tidy::<Detector>(depth);
        is_tidy::<DenseNet121>(depth);
        is_tidy::<ShuffleNetV2>(depth);
    }
}

#[test]
fn a_diagram_says_names_shapes_and_parameters() {
    let svg = Diagram::of::<Joined>().svg();
    for text in [">near<", ">block<", ">8x8x8<", ">concat<", ">conv2d 3x3, padded<", "block.conv1 (conv2d)", ">116<"] {
        assert!(svg.contains(text), "{text} in {svg}");
    }
    assert_eq!(boxes(&svg, "frame").len(), 2, "`block` and `far` have several boxes, `stem` has one");
    let inner = Diagram::of::<Outer>();
    assert!(inner.svg().contains("inner.block.conv1 (conv2d)"));
    assert!(!inner.depth(1).svg().contains("conv1"));
}

#[test]
fn dot_has_a_node_for_each_box_and_a_cluster_for_each_frame() {
    let dot = Diagram::of::<Joined>().dot();
    assert_eq!(dot.matches("subgraph cluster_").count(), 2);
    assert_eq!(dot.matches('{').count(), dot.matches('}').count());
    assert!(
        dot.contains("n0 -> n1;")
            && dot.contains("label=\"stem.conv\\nconv2d 3x3, padded\\nbatch_norm2d\\nrelu\\n4x8x8\"")
    );
}

#[test]
fn grad_cam_of_a_pooled_network_is_its_class_activation_map() {
    let net = Pooled::new(5);
    let activation = grad_cam(&net, &picture(), 2).unwrap();
    assert_eq!([activation.width(), activation.height()], [6, 6]);
    let maps = cnn_core::network::feature_maps(&net, &picture());
    let weight = net.weights().tensors().find(|tensor| tensor.name == "fc.weight").unwrap().to_pytorch();
    let sums = maps[0].values.chunks_exact(3);
    let sums = sums.map(|cell| (0..3).map(|channel| cell[channel] * weight[2 * 3 + channel]).sum::<f32>().max(0.0));
    let sums: Vec<f32> = sums.collect();
    let most = sums.iter().copied().fold(0.0, f32::max);
    assert!(most > 0.0, "a seed whose map speaks for the class");
    for (share, sum) in activation.shares().iter().zip(sums) {
        assert!((share - sum / most).abs() < 1e-5, "{share} {}", sum / most);
    }
}

#[test]
fn a_class_that_is_none_and_a_network_without_places_have_no_map() {
    let error = grad_cam(&Pooled::new(0), &picture(), 4).unwrap_err();
    assert_eq!(error.to_string(), "expected a class below 4, found 4");
    let error = grad_cam(&Features::new(0), &Tensor::zeros(), 1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no step of Features before the last makes a map with height and width, which a class could be seen in"
    );
}

/// A report with all that can be in one.
fn report() -> Report {
    let evil = "<script>alert('\"&')</script>";
    let mut history = History::new();
    for step in 0..2000 {
        history.push("loss", step, if step % 500 == 7 { f64::NAN } else { 1.0 / (1.0 + step as f64) });
    }
    history.push(evil, 3, 0.5);
    let mut confusion = ConfusionMatrix::<3>::new();
    for (truth, guess) in [(0, 0), (0, 1), (1, 1)] {
        confusion.record(truth, guess).unwrap();
    }
    let mut many = ConfusionMatrix::<100>::new();
    (0..100).for_each(|class| many.record(class, class * 7 % 100).unwrap());
    let small = Picture::of_values(6, 6, picture().values()).unwrap();
    let mistake = |probability| Mistake { picture: small.clone(), truth: evil.into(), guess: "b".into(), probability };
    let mut report = Report::new(evil);
    report
        .text(evil, evil)
        .table("Options", &["option", evil], &[vec![evil.into(), "0.1".into()], vec![]])
        .curves("Loss", evil, &history, &["loss", evil, "nothing"])
        .curves("Nothing", "step", &History::new(), &["loss"])
        .confusion("Confusion", &confusion, &[evil])
        .confusion("Many", &many, &[])
        .confusion("None", &ConfusionMatrix::<0>::new(), &[])
        .confusion("Unseen", &ConfusionMatrix::<3>::new(), &[])
        .mistakes("Mistakes", vec![mistake(0.25), mistake(f64::NAN), mistake(0.75)])
        .mistakes("No mistakes", Vec::new())
        .filters("Filters", &Joined::new(0))
        .filters("No filters", &Features::new(0))
        .maps("Maps", &Joined::new(0), &Tensor::zeros())
        .diagram("Network", &Diagram::of::<Joined>());
    report
}

#[test]
fn text_in_a_report_is_no_html() {
    let html = report().html();
    assert!(!html.contains("<script"), "what it is given means itself");
    assert!(html.contains("&lt;script&gt;alert(&#39;&quot;&amp;&#39;)&lt;/script&gt;"));
}

#[test]
fn a_report_asks_for_no_other_file() {
    let html = report().html();
    for source in html.split("src=\"").skip(1) {
        assert!(source.starts_with("data:image/png;base64,"));
    }
    for link in html.split("href=\"").skip(1) {
        assert!(link.starts_with("#s"));
    }
    for word in ["url(", "@import", "<link", "<iframe"] {
        assert!(!html.contains(word), "{word}");
    }
}

/// Tags that are opened are closed in turn.
#[test]
fn a_report_is_well_formed() {
    let html = report().html();
    let mut open = Vec::new();
    for tag in html.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()) {
        let name: String = tag.trim_start_matches('/').chars().take_while(|c| c.is_ascii_alphanumeric()).collect();
        if tag.starts_with('!') || tag.ends_with('/') || ["meta", "img"].contains(&name.as_str()) {
            continue;
        }
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name));
        } else {
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<String>::new());
    assert_eq!(html.matches("<img").count(), html.matches(" alt=\"").count());
}

#[test]
fn mistakes_begin_with_the_surest() {
    let html = report().html();
    let places = ["75.0 %", "25.0 %", "\n- %"].map(|text| html.rfind(text).unwrap());
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn what_is_not_there_is_said() {
    let html = report().html();
    for text in ["There are no values.", "No predictions were counted.", "There are none.", "has no convolution"] {
        assert!(html.contains(text), "{text}");
    }
}

#[test]
fn a_report_that_cannot_be_written_is_an_error() {
    let path = std::env::temp_dir().join(format!("no-such-folder-{}", std::process::id())).join("report.html");
    let error = Report::new("title").save(&path).unwrap_err();
    assert!(error.to_string().starts_with(&format!("{}: ", path.display())), "{error}");
}

/// A network of a thousand classes on a folder of three.
#[test]
fn classes_that_are_not_there_are_not_in_the_way() {
    let mut matrix = ConfusionMatrix::<1000>::new();
    for (truth, guess) in [(0, 0), (1, 2), (2, 700)] {
        matrix.record(truth, guess).unwrap();
    }
    let html = Report::new("few of many").confusion("Confusion", &matrix, &["ant", "bee", "cat"]).html();
    assert!(html.contains("996 other classes neither were nor were taken for anything"));
    assert!(html.contains(">bee<") && html.contains(">700<") && !html.contains(">699<") && html.len() < 20_000);
}
