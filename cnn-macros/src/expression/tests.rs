use super::{Binary, Constant, Expression, Graph, Id, Node, Unary};

fn of(build: impl FnOnce(&mut Graph, Id) -> Id) -> Expression {
    let mut graph = Graph::default();
    let x = graph.add(Node::Argument(0));
    let value = build(&mut graph, x);
    Expression::new(graph, value, vec!["x".to_owned()], String::new())
}

#[test]
fn what_the_value_tells_needs_no_argument() {
    for function in [Unary::Exp, Unary::ExpM1, Unary::Sigmoid, Unary::Tanh, Unary::Relu, Unary::Sqrt] {
        let expression = of(|graph, x| graph.unary(function, x));
        assert_eq!((expression.reads_value, expression.reads.as_slice()), (true, &[false][..]), "{function:?}");
    }
    for function in [Unary::Ln, Unary::Softplus, Unary::Erf, Unary::Abs] {
        let expression = of(|graph, x| graph.unary(function, x));
        assert_eq!((expression.reads_value, expression.reads.as_slice()), (false, &[true][..]), "{function:?}");
    }
    let linear = of(|graph, x| {
        let three = graph.number(3.0);
        graph.binary(Binary::Multiply, three, x)
    });
    assert_eq!((linear.reads_value, linear.reads), (false, vec![false]));
}

#[test]
fn equal_parts_are_one() {
    let mut graph = Graph::default();
    let x = graph.add(Node::Argument(0));
    let [a, b] = [(); 2].map(|()| graph.unary(Unary::Sigmoid, x));
    assert_eq!(a, b);
    let [two, other] = [(); 2].map(|()| graph.number(2.0));
    assert_eq!(two, other);
    let told = [(); 2].map(|()| graph.constant(Constant::Told(quote::quote!(ALPHA))));
    assert_eq!(told[0], told[1]);
}

#[test]
fn nothing_is_reckoned_of_what_does_not_depend_on_an_argument() {
    let mut graph = Graph::default();
    let [x, y] = [0, 1].map(|argument| graph.add(Node::Argument(argument)));
    let zero = graph.number(0.0);
    let value = graph.choice(super::Comparison::Less, [y, zero, x, zero]);
    let expression = Expression::new(graph, value, vec!["x".to_owned(), "y".to_owned()], String::new());
    assert!(expression.gradients[0].is_some() && expression.gradients[1].is_none());
    assert_eq!(expression.reads, [false, true]);
}
