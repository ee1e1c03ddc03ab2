"""Runs an ONNX graph node by node in torch on a CPU, by the operators' specification: an engine that shares nothing with ONNX Runtime."""
import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import helper, numpy_helper

TYPES = {1: torch.float32, 2: torch.uint8, 3: torch.int8, 6: torch.int32, 7: torch.int64, 9: torch.bool, 10: torch.float32, 11: torch.float64}


def ints(t):
    return [int(v) for v in t.reshape(-1).tolist()]


def axes_of(a, t, name="axes"):
    """Axes as an attribute (older opsets) or as an input."""
    return ints(t) if t is not None else a.get(name)


def padded(x, a, kernel, value=0.0):
    """ONNX's pads (top, left, bottom, right), or those that auto_pad means for this kernel."""
    top, left, bottom, right = a.get("pads", [0, 0, 0, 0])
    auto = a.get("auto_pad", b"NOTSET").decode()
    if auto.startswith("SAME"):
        steps, both = a.get("strides", [1, 1]), []
        for size, k, s in zip(x.shape[2:], kernel, steps):
            total = max((-(-size // s) - 1) * s + k - size, 0)
            both.append((total // 2, total - total // 2) if auto == "SAME_UPPER" else (total - total // 2, total // 2))
        (top, bottom), (left, right) = both
    return F.pad(x, (left, right, top, bottom), value=value) if top + left + bottom + right else x


def conv(a, x, w, b=None):
    return F.conv2d(padded(x, a, w.shape[2:]), w, b, a.get("strides", 1), 0, a.get("dilations", 1), a.get("group", 1))


def ceiled(x, a):
    """How many rows and columns more ceil_mode needs at the end."""
    if not a.get("ceil_mode"):
        return 0, 0
    sizes = [(x.shape[2 + i] - a["kernel_shape"][i], a.get("strides", [1, 1])[i]) for i in (0, 1)]
    return [-(-n // s) * s - n for n, s in sizes]


def max_pool(a, x):
    x = padded(x, a, a["kernel_shape"], -float("inf"))
    bottom, right = ceiled(x, a)
    return F.max_pool2d(F.pad(x, (0, right, 0, bottom), value=-float("inf")), a["kernel_shape"], a.get("strides", 1))


def average(a, x):
    kernel, stride = a["kernel_shape"], a.get("strides", [1, 1])
    ones = torch.ones_like(x[:1, :1])
    return F.avg_pool2d(padded(x, a, kernel), kernel, stride) / (1.0 if a.get("count_include_pad") else F.avg_pool2d(padded(ones, a, kernel), kernel, stride))


def reshape(a, x, shape=None):
    wanted = ints(shape) if shape is not None else a["shape"]
    return x.reshape([x.shape[i] if d == 0 and not a.get("allowzero") else d for i, d in enumerate(wanted)])


def sliced(a, x, starts=None, ends=None, axes=None, steps=None):
    starts, ends = axes_of(a, starts, "starts"), axes_of(a, ends, "ends")
    axes = axes_of(a, axes) or list(range(len(starts)))
    index = [slice(None)] * x.dim()
    for axis, start, end, step in zip(axes, starts, ends, ints(steps) if steps is not None else [1] * len(axes)):
        index[axis] = slice(start, end, step)
    return x[tuple(index)]


def squeeze(a, x, axes=None):
    axes = axes_of(a, axes)
    axes = [i for i, d in enumerate(x.shape) if d == 1] if axes is None else [i % x.dim() for i in axes]
    return x.reshape([d for i, d in enumerate(x.shape) if i not in axes])


def unsqueeze(a, x, axes=None):
    axes = axes_of(a, axes)
    for axis in sorted(i % (x.dim() + len(axes)) for i in axes):
        x = x.unsqueeze(axis)
    return x


def reduce(function):
    def run(a, x, axes=None):
        axes = axes_of(a, axes)
        return function(x, axes if axes else list(range(x.dim())), keepdim=bool(a.get("keepdims", 1)))

    return run


def softmax(a, x):
    axis = a.get("axis", -1 if a["opset"] >= 13 else 1)
    return x.softmax(axis) if a["opset"] >= 13 else x.flatten(axis).softmax(-1).reshape(x.shape)


def gemm(a, x, w, b=0):
    return (x.T if a.get("transA") else x) @ (w.T if a.get("transB") else w) * a.get("alpha", 1.0) + b * a.get("beta", 1.0)


def per_axis(t, x, axis):
    return t.reshape([-1 if i == axis % x.dim() else 1 for i in range(x.dim())]) if t.numel() > 1 else t


def quantize(a, x, scale, zero):
    low, high = (0, 255) if zero.dtype == torch.uint8 else (-128, 127)
    scale, point = per_axis(scale, x, a.get("axis", 1)), per_axis(zero, x, a.get("axis", 1)).float()
    return (x / scale).round().add(point).clamp(low, high).to(zero.dtype)


def dequantize(a, x, scale, zero=None):
    point = 0.0 if zero is None else per_axis(zero, x, a.get("axis", 1)).float()
    return (x.float() - point) * per_axis(scale, x, a.get("axis", 1))


def dynamic_quantize(a, x):
    low, high = min(x.min().item(), 0.0), max(x.max().item(), 0.0)
    scale = np.float32(np.float32(high - low) / np.float32(255))
    zero = torch.tensor(np.clip(np.rint(np.float32(0 - np.float32(low)) / scale), 0, 255)).to(torch.uint8)
    return quantize(a, x, torch.tensor(scale), zero), torch.tensor(scale), zero


def conv_integer(a, x, w, x_zero=None, w_zero=None):
    x = x.double() - (0 if x_zero is None else x_zero.double())
    return conv(a, x, w.double() - (0 if w_zero is None else per_axis(w_zero.double(), w, 0))).to(torch.int32)


def matmul_integer(a, x, w, x_zero=None, w_zero=None):
    x = x.double() - (0 if x_zero is None else x_zero.double())
    return (x @ (w.double() - (0 if w_zero is None else w_zero.double()))).to(torch.int32)


def qlinear_conv(a, x, xs, xz, w, ws, wz, ys, yz, b=None):
    total = conv(a, x.double() - xz.double(), w.double() - per_axis(wz.double(), w, 0), None if b is None else b.double())
    scale = per_axis((xs.double() * ws.double()).reshape(-1), total, 1) / ys.double()
    return requantized(total * scale, yz)


def requantized(x, zero):
    low, high = (0, 255) if zero.dtype == torch.uint8 else (-128, 127)
    return x.round().add(zero.double()).clamp(low, high).to(zero.dtype)


def qlinear_add(a, x, xs, xz, y, ys, yz, zs, zz):
    both = (x.double() - xz.double()) * xs.double() + (y.double() - yz.double()) * ys.double()
    return requantized(both / zs.double(), zz)


def split(a, x, sizes=None):
    sizes = ints(sizes) if sizes is not None else a.get("split")
    axis = a.get("axis", 0)
    return x.split(sizes if sizes else x.shape[axis] // a["outputs"], axis)


def pad(a, x, pads=None, value=None):
    pads = ints(pads) if pads is not None else a["pads"]
    n = x.dim()
    order = [p for axis in reversed(range(n)) for p in (pads[axis], pads[axis + n])]
    mode = a.get("mode", b"constant").decode()
    if mode == "constant":
        return F.pad(x, order, value=a.get("value", 0.0) if value is None else value.item())
    return F.pad(x, order[:4], mode={"reflect": "reflect", "edge": "replicate"}[mode])


def layer_norm(a, x, w, b=None):
    return F.layer_norm(x, x.shape[a.get("axis", -1) % x.dim() :], w, b, a.get("epsilon", 1e-5))


def instance_norm(a, x, w, b):
    return F.instance_norm(x, weight=w, bias=b, eps=a.get("epsilon", 1e-5))


def divide(a, x, y):
    return x / y if x.is_floating_point() else torch.div(x, y, rounding_mode="trunc")


def shape_of(a, x):
    return torch.tensor(list(x.shape))[a.get("start", 0) : a.get("end")]


def constant_of_shape(a, shape):
    value = torch.from_numpy(numpy_helper.to_array(a["value"]).copy()) if "value" in a else torch.zeros(1)
    return torch.full(ints(shape), value.item(), dtype=value.dtype)


OPERATORS = {
    "Conv": conv,
    "ConvTranspose": lambda a, x, w, b=None: F.conv_transpose2d(x, w, b, a.get("strides", 1), a.get("pads", [0, 0])[:2], a.get("output_padding", 0)),
    "BatchNormalization": lambda a, x, w, b, m, v: F.batch_norm(x, m, v, w, b, eps=a.get("epsilon", 1e-5)),
    "InstanceNormalization": instance_norm,
    "LayerNormalization": layer_norm,
    "LRN": lambda a, x: F.local_response_norm(x, a["size"], a.get("alpha", 1e-4), a.get("beta", 0.75), a.get("bias", 1.0)),
    "Relu": lambda a, x: x.relu(),
    "PRelu": lambda a, x, s: torch.where(x < 0, x * s, x),
    "LeakyRelu": lambda a, x: F.leaky_relu(x, a.get("alpha", 0.01)),
    "Clip": lambda a, x, low=None, high=None: x.clamp(a.get("min") if low is None else low.item(), a.get("max") if high is None else high.item()),
    "Sigmoid": lambda a, x: x.sigmoid(),
    "HardSigmoid": lambda a, x: (a.get("alpha", 0.2) * x + a.get("beta", 0.5)).clamp(0, 1),
    "HardSwish": lambda a, x: x * (x / 6 + 0.5).clamp(0, 1),
    "Tanh": lambda a, x: x.tanh(),
    "Erf": lambda a, x: x.erf(),
    "Gelu": lambda a, x: F.gelu(x, approximate=a.get("approximate", b"none").decode()),
    "Exp": lambda a, x: x.exp(),
    "Sqrt": lambda a, x: x.sqrt(),
    "Sign": lambda a, x: x.sign(),
    "Floor": lambda a, x: x.floor(),
    "Ceil": lambda a, x: x.ceil(),
    "Neg": lambda a, x: -x,
    "Pow": lambda a, x, y: x**y,
    "MaxPool": max_pool,
    "AveragePool": average,
    "GlobalAveragePool": lambda a, x: x.mean((2, 3), keepdim=True),
    "ReduceMean": reduce(torch.mean),
    "ReduceSum": reduce(torch.sum),
    "Add": lambda a, x, y: x + y,
    "Sub": lambda a, x, y: x - y,
    "Mul": lambda a, x, y: x * y,
    "Div": divide,
    "Sum": lambda a, *x: sum(x),
    "Concat": lambda a, *x: torch.cat(x, a["axis"]),
    "Split": split,
    "Pad": pad,
    "Crop": lambda a, x: x[:, :, a["border"][1] : x.shape[2] - a["border"][3], a["border"][0] : x.shape[3] - a["border"][2]],
    "ImageScaler": lambda a, x: x * a.get("scale", 1.0) + torch.tensor(a["bias"]).reshape(1, 3, 1, 1),
    "Affine": lambda a, x: x * a.get("alpha", 1.0) + a.get("beta", 0.0),
    "Dropout": lambda a, x, *_: x,
    "Identity": lambda a, x: x,
    "Cast": lambda a, x: x.to(TYPES[a["to"]]),
    "Flatten": lambda a, x: x.flatten(a.get("axis", 1)),
    "Reshape": reshape,
    "Squeeze": squeeze,
    "Unsqueeze": unsqueeze,
    "Transpose": lambda a, x: x.permute(a["perm"]) if "perm" in a else x.permute(*reversed(range(x.dim()))),
    "Slice": sliced,
    "Gather": lambda a, x, i: torch.as_tensor(np.take(x.numpy(), i.numpy(), axis=a.get("axis", 0))),
    "Expand": lambda a, x, s: x.expand(torch.broadcast_shapes(x.shape, ints(s))),
    "Where": lambda a, c, x, y: torch.where(c, x, y),
    "Equal": lambda a, x, y: x == y,
    "Shape": shape_of,
    "ConstantOfShape": constant_of_shape,
    "Softmax": softmax,
    "Gemm": gemm,
    "MatMul": lambda a, x, w: x @ w,
    "QuantizeLinear": quantize,
    "DequantizeLinear": dequantize,
    "DynamicQuantizeLinear": dynamic_quantize,
    "ConvInteger": conv_integer,
    "MatMulInteger": matmul_integer,
    "QLinearConv": qlinear_conv,
    "QLinearAdd": qlinear_add,
}


def tensor_of(proto):
    array = numpy_helper.to_array(proto)
    return torch.from_numpy((array.astype(np.float32) if array.dtype == np.float16 else array).copy())


def run(file, tensor, batch):
    """The tensor of that name for each photo (3 x height x width, float32, or height x width x 3), one row per photo."""
    model = onnx.load(str(file))
    graph, opset = model.graph, max(o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))
    weights = {i.name: tensor_of(i) for i in graph.initializer}
    (name,) = [i.name for i in graph.input if i.name not in weights]
    rows = []
    with torch.no_grad():
        for photo in batch:
            values = weights | {name: torch.from_numpy(photo[None])}
            for node in graph.node:
                if tensor in values:
                    break
                a = {x.name: helper.get_attribute_value(x) for x in node.attribute} | {"opset": opset, "outputs": len(node.output)}
                if node.op_type == "Constant":
                    made = tensor_of(a["value"]) if "value" in a else torch.tensor(next(v for k, v in a.items() if k.startswith("value")))
                elif node.op_type in OPERATORS:
                    made = OPERATORS[node.op_type](a, *[values[i] if i else None for i in node.input])
                else:
                    raise RuntimeError(f"no {node.op_type} here")
                values |= zip(node.output, made if isinstance(made, tuple) else [made])
            rows.append(values[tensor].numpy().reshape(-1))
    return np.stack(rows)
