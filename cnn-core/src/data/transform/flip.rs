use super::{Canvas, DataError, Draw, Transform, options};

macro_rules! flip {
    ($(#[$about:meta])* $name:ident, $flip:ident) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $name {
            p: f64,
        }

        impl $name {
            /// By a probability, usually 0.5.
            pub fn new(p: f64) -> Self {
                Self { p }
            }
        }

        impl Transform for $name {
            fn validate(&self) -> Result<(), DataError> {
                options::probability(self.p)
            }

            fn output_size(&self, input: Option<[usize; 2]>) -> Option<[usize; 2]> {
                input
            }

            fn apply(&self, canvas: &mut Canvas<'_>, draw: &mut Draw) -> Result<(), DataError> {
                if draw.chance(self.p) {
                    canvas.$flip();
                }
                Ok(())
            }
        }
    };
}

flip! {
    /// Left becomes right by this probability, torchvision's `RandomHorizontalFlip`.
    RandomHorizontalFlip, flip_horizontal
}

flip! {
    /// Top becomes bottom by this probability, torchvision's `RandomVerticalFlip`.
    RandomVerticalFlip, flip_vertical
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flips_come_by_their_probability() {
        let flipped = |transform: &dyn Transform| {
            let is_flipped = |&sample: &usize| {
                let mut canvas = Canvas::default();
                canvas.borrow_picture([2, 2], 1, &[1, 2, 3, 1]);
                transform.apply(&mut canvas, &mut Draw::new(1, 0, sample, 0)).unwrap();
                canvas.pixels() != [1, 2, 3, 1]
            };
            (0..2000).filter(is_flipped).count()
        };
        // 600, with a standard deviation of 20.
        assert!(flipped(&RandomHorizontalFlip::new(0.3)).abs_diff(600) < 82);
        assert!(flipped(&RandomVerticalFlip::new(0.3)).abs_diff(600) < 82);
        assert_eq!((flipped(&RandomVerticalFlip::new(0.0)), flipped(&RandomHorizontalFlip::new(1.0))), (0, 2000));
    }
}
