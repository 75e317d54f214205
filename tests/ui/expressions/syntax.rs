use cnn_core::prelude::*;

network! {
    A<3, 8, 8> { map }
    B<3, 8, 8> { map(x * 2) }
    C<3, 8, 8> { map(|x|) }
    D<3, 8, 8> { map(|x| x ** 2), map(|x| x ^ 2) }
    E<3, 8, 8> { map(|x| if x < 0 { x }), map(|x| if x { 0 } else { 1 }) }
    F<3, 8, 8> { map(|x| { let u = x }), map(|x| { let u = x; }), map(|x| x +), map(|x| (x + 1) x) }
    G<3, 8, 8> { map(|| 1), map(|x, x| x), map(|1| x), map(|x| x.exp) }
    H<3, 8, 8> { map<2>(|x| x) }
}

fn main() {
    let _ = A::new(0);
}
