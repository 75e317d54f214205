use cnn_core::prelude::*;

network! {
    // Another count.
    pub Count<3, 6, 4> { reshape<8, 4, 4>, flatten }

    // Another count, of which the cells fit.
    pub Cells<3, 6, 4> { reshape<8, 6, 2>, flatten }

    // The batch is not the first.
    pub Batch<3, 6, 4> { permute<1, 0, 2, 3>, flatten }

    // One dimension is there twice.
    pub Twice<3, 6, 4> { permute<0, 2, 2, 1>, flatten }

    // PyTorch's without the batch.
    pub Short<3, 6, 4> { permute<1, 2, 0>, flatten }

    // Features have no rows.
    pub Features<12> { softmax(over = width) }
}

fn main() {}
