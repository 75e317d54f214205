//! A test case as it lies in its folder: a graph of one operator, what it is fed, and what it must give.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use prost::Message;

use crate::proto;

/// Numbers of any type, which `f64` holds exactly.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tensor {
    pub(crate) dims: Vec<usize>,
    pub(crate) values: Vec<f64>,
}

#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) nodes: Vec<proto::Node>,
    pub(crate) opset: i64,
    /// What the graph is fed and what it holds, by name.
    pub(crate) tensors: HashMap<String, Tensor>,
    pub(crate) outputs: Vec<Tensor>,
}

impl Case {
    pub(crate) fn read(folder: &Path) -> Self {
        let model: proto::Model = decode(&folder.join("model.onnx"));
        let graph = model.graph.expect("a graph");
        let mut tensors: HashMap<String, Tensor> = HashMap::new();
        for tensor in graph.initializer {
            tensors.insert(tensor.name.clone().expect("a name"), tensor.into());
        }
        let data = folder.join("test_data_set_0");
        // Old graphs name what they hold among what they are fed.
        let fed: Vec<String> = graph.input.into_iter().filter_map(|input| input.name).collect();
        for (index, name) in
            fed.into_iter().filter(|name| !tensors.contains_key(name)).collect::<Vec<_>>().iter().enumerate()
        {
            tensors.insert(name.clone(), decode::<proto::Tensor>(&data.join(format!("input_{index}.pb"))).into());
        }
        let outputs = (0..).map(|index| data.join(format!("output_{index}.pb"))).take_while(|path| path.exists());
        Self {
            nodes: graph.node,
            opset: model.opset_import.first().and_then(|set| set.version).expect("a version"),
            tensors,
            outputs: outputs.map(|path| decode::<proto::Tensor>(&path).into()).collect(),
        }
    }
}

fn decode<M: Message + Default>(path: &Path) -> M {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    M::decode(&*bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

impl From<proto::Tensor> for Tensor {
    fn from(tensor: proto::Tensor) -> Self {
        let dims = tensor.dims.iter().map(|&dim| usize::try_from(dim).expect("a size")).collect();
        let raw = tensor.raw_data.unwrap_or_default();
        let values: Vec<f64> = match tensor.data_type {
            Some(1) if raw.is_empty() => tensor.float_data.into_iter().map(f64::from).collect(),
            Some(1) => raw.as_chunks().0.iter().map(|&bytes| f64::from(f32::from_le_bytes(bytes))).collect(),
            Some(2) => raw.into_iter().map(f64::from).collect(),
            Some(7) if raw.is_empty() => tensor.int64_data.into_iter().map(|value| value as f64).collect(),
            Some(7) => raw.as_chunks().0.iter().map(|&bytes| i64::from_le_bytes(bytes) as f64).collect(),
            other => panic!("data type {other:?}"),
        };
        let new = Self { dims, values };
        assert_eq!(new.values.len(), new.dims.iter().product::<usize>());
        new
    }
}

impl proto::Node {
    fn attribute(&self, name: &str) -> Option<&proto::Attribute> {
        self.attribute.iter().find(|attribute| attribute.name() == name)
    }

    pub(crate) fn int(&self, name: &str, default: i64) -> i64 {
        self.attribute(name).map_or(default, proto::Attribute::i)
    }

    pub(crate) fn size(&self, name: &str, default: usize) -> usize {
        self.attribute(name).map_or(default, |attribute| usize::try_from(attribute.i()).expect("a size"))
    }

    pub(crate) fn float(&self, name: &str, default: f64) -> f64 {
        // As the decimal that was meant: 0.1 is not the `f32` nearest to it.
        self.attribute(name).map_or(default, |attribute| attribute.f().to_string().parse().expect("a number"))
    }

    pub(crate) fn text(&self, name: &str, default: &str) -> String {
        self.attribute(name).map_or(default.to_owned(), |attribute| String::from_utf8_lossy(attribute.s()).into_owned())
    }

    pub(crate) fn sizes(&self, name: &str) -> Option<Vec<usize>> {
        let sizes = self.attribute(name)?.ints.iter().map(|&size| usize::try_from(size).expect("no negative sizes"));
        Some(sizes.collect())
    }
}
