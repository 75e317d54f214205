//! The functions and classes that files of weights name, and what they would make.

use crate::io::number::Dtype;

/// What a pickle names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Global {
    /// Makes a dict.
    Dict,
    /// A function of `torch._utils` that makes a tensor of its arguments.
    Rebuild(Rebuild),
    /// The type of a storage, or of what it has.
    Numbers(Numbers),
    /// Makes something that has no weights: it is made, and stays empty.
    Inert,
}

/// <https://github.com/pytorch/pytorch/blob/main/torch/_utils.py>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rebuild {
    /// `(storage, offset, size, stride, ..)`
    Tensor,
    /// The same with the type of its numbers, for those that have no storage of their own.
    TypedTensor,
    /// `(tensor, ..)`
    Parameter,
    /// `(function, type, arguments, state)`
    FromType,
    /// One that has no values as we know them.
    Other(&'static str),
}

/// What numbers a storage has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Numbers {
    Plain(Dtype),
    /// Bytes, and the tensor says of what.
    Bytes,
    /// Others, in words, of so many bytes each.
    Odd(&'static str, u64),
}

/// What a name stands for, if it is one of a file of weights.
pub(super) fn find(module: &str, name: &str) -> Option<Global> {
    let plain = |name: &str| Dtype::named(name).map(|dtype| Global::Numbers(Numbers::Plain(dtype)));
    let odd = |what, bytes| Some(Global::Numbers(Numbers::Odd(what, bytes)));
    let rebuild = |rebuild| Some(Global::Rebuild(rebuild));
    match (module, name) {
        ("collections", "OrderedDict" | "Counter" | "defaultdict") => Some(Global::Dict),
        ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => rebuild(Rebuild::Tensor),
        ("torch._utils", "_rebuild_tensor_v3") => rebuild(Rebuild::TypedTensor),
        ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state") => rebuild(Rebuild::Parameter),
        ("torch._tensor", "_rebuild_from_type_v2") => rebuild(Rebuild::FromType),
        ("torch._utils", "_rebuild_qtensor") => rebuild(Rebuild::Other("a quantized tensor")),
        ("torch._utils", "_rebuild_sparse_tensor") => rebuild(Rebuild::Other("a sparse tensor")),
        ("torch._utils", "_rebuild_meta_tensor_no_storage") => {
            rebuild(Rebuild::Other("a tensor without values, of the device \"meta\""))
        }
        // Tensors that were on a GPU name its storage; the numbers are the same.
        ("torch" | "torch.cuda", "FloatStorage") | ("torch", "float32") => plain("F32"),
        ("torch" | "torch.cuda", "DoubleStorage") | ("torch", "float64") => plain("F64"),
        ("torch" | "torch.cuda", "HalfStorage") | ("torch", "float16") => plain("F16"),
        ("torch" | "torch.cuda", "BFloat16Storage") | ("torch", "bfloat16") => plain("BF16"),
        ("torch" | "torch.cuda", "LongStorage") | ("torch", "int64") => plain("I64"),
        ("torch" | "torch.cuda", "IntStorage") | ("torch", "int32") => plain("I32"),
        ("torch" | "torch.cuda", "ShortStorage") | ("torch", "int16") => plain("I16"),
        ("torch" | "torch.cuda", "CharStorage") | ("torch", "int8") => plain("I8"),
        ("torch" | "torch.cuda", "ByteStorage") | ("torch", "uint8") => plain("U8"),
        ("torch" | "torch.cuda", "BoolStorage") | ("torch", "bool") => plain("BOOL"),
        ("torch" | "torch.cuda", "ComplexFloatStorage") | ("torch", "complex64") => plain("C64"),
        ("torch" | "torch.cuda", "ComplexDoubleStorage") | ("torch", "complex128") => {
            odd("complex numbers of 128 bits", 16)
        }
        ("torch", "uint16") => plain("U16"),
        ("torch", "uint32") => plain("U32"),
        ("torch", "uint64") => plain("U64"),
        ("torch", "float8_e4m3fn") => plain("F8_E4M3"),
        ("torch", "float8_e5m2") => plain("F8_E5M2"),
        ("torch", "float8_e4m3fnuz") => plain("F8_E4M3FNUZ"),
        ("torch", "float8_e5m2fnuz") => plain("F8_E5M2FNUZ"),
        ("torch", "float8_e8m0fnu") => plain("F8_E8M0"),
        ("torch", "QInt32Storage" | "qint32") => odd("a quantized tensor", 4),
        ("torch", "QInt8Storage" | "QUInt8Storage" | "QUInt4x2Storage" | "QUInt2x4Storage") => {
            odd("a quantized tensor", 1)
        }
        ("torch", "qint8" | "quint8" | "quint4x2" | "quint2x4") => odd("a quantized tensor", 1),
        ("torch.storage", "UntypedStorage") | ("torch", "UntypedStorage") => Some(Global::Numbers(Numbers::Bytes)),
        _ => is_inert(module, name).then_some(Global::Inert),
    }
}

/// What training scripts keep beside the weights: none of it is made here, so it does not matter what it would do.
fn is_inert(module: &str, name: &str) -> bool {
    match module {
        "torch" => matches!(
            name,
            "Size"
                | "device"
                | "Tensor"
                | "Generator"
                | "per_tensor_affine"
                | "per_tensor_symmetric"
                | "per_channel_affine"
                | "per_channel_symmetric"
                | "per_channel_affine_float_qparams"
        ),
        "torch.nn.parameter" => matches!(name, "Parameter" | "Buffer"),
        "torch.serialization" => name == "_get_layout",
        "argparse" => name == "Namespace",
        "types" => name == "SimpleNamespace",
        "collections" => name == "deque",
        "datetime" => matches!(name, "datetime" | "date" | "timedelta"),
        "pathlib" | "pathlib._local" => {
            matches!(name, "Path" | "PosixPath" | "PurePosixPath" | "WindowsPath" | "PureWindowsPath")
        }
        "numpy" => matches!(name, "dtype" | "ndarray"),
        "numpy.core.multiarray" | "numpy._core.multiarray" => matches!(name, "scalar" | "_reconstruct"),
        "_codecs" => name == "encode",
        "builtins" | "__builtin__" => matches!(
            name,
            "set"
                | "frozenset"
                | "complex"
                | "bytearray"
                | "slice"
                | "range"
                | "dict"
                | "list"
                | "tuple"
                | "str"
                | "int"
                | "float"
                | "bool"
                | "bytes"
        ),
        _ => false,
    }
}
