#!/usr/bin/env python3
"""What the kernels of a network must move through a GPU's memory for one photo, by how they are fused: arithmetic, not a measurement.

Each convolution reads its input and writes its output once; each kernel beside it reads and writes whole tensors again. The time is at
least the bytes over the memory's speed, and for a convolution at least its multiply-adds over the tensor cores' speed; weights are
counted once a batch, and launches, caches and real kernels' shortfall not at all.

  plain        bias, activation and addition are kernels of their own: ONNX Runtime's CUDA provider by default, nhwc
  bias fused   bias in the convolution's kernel: fuse_conv_bias=1, where cuDNN has an engine for it
  compiled     what follows a convolution (batch normalization or bias, addition, activation) is one kernel: torch.compile
  all fused    all of that is in the convolution's kernel: TensorRT

Usage: passes.py NETWORK.onnx ... [--bytes 2] [--batch 256] [--memory 3.35] [--tensor-cores 990]      # TB/s and TFLOP/s, by default an H100's
"""

import argparse
import os

import onnx
from onnx import numpy_helper, shape_inference

ACTIVATIONS = {"Relu", "Clip", "LeakyRelu", "Sigmoid", "HardSwish"}
WAYS = ["plain", "bias fused", "compiled", "all fused"]


def of(path):
    """The network for one photo: nodes, elements of each tensor, names of weights."""
    model = onnx.load(path)
    graph = model.graph
    for given in graph.input:
        given.type.tensor_type.shape.dim[0].dim_value = 1
    # As exported they tell of batches of any size.
    del graph.value_info[:]
    for result in graph.output:
        result.type.tensor_type.ClearField("shape")
    graph = shape_inference.infer_shapes(model).graph
    values = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in [*graph.value_info, *graph.input, *graph.output]}
    weights = {w.name: numpy_helper.to_array(w).shape for w in graph.initializer}
    return graph.node, values, weights


def product(shape):
    result = 1
    for size in shape:
        result *= size
    return result


def passes(path, options):
    """Bytes beside the convolutions and the least microseconds a photo, for each way."""
    nodes, shapes, weights = of(path)
    users = {}
    for node in nodes:
        for name in node.input:
            users.setdefault(name, []).append(node)

    def size(name):
        return options.bytes * product(shapes[name])

    # What one kernel does with a convolution's output: the nodes after it as far as each is the only user, an addition if its other side is there.
    chained, made = set(), set()
    beside = dict.fromkeys(WAYS, 0)
    convolutions, microseconds = 0, 0.0
    done = {name for name in shapes if name not in {o for n in nodes for o in n.output}}
    for node in nodes:
        out = node.output[0]
        if node.op_type not in {"Conv", "Gemm"} and all(i in weights or i not in shapes for i in node.input):
            done.update(node.output)
            continue
        ins = [i for i in node.input if i in shapes and i not in weights]
        if node.op_type in {"Conv", "Gemm"}:
            weight = weights[node.input[1]]
            work = 2 * product(weight) * (product(shapes[out]) / weight[0] if node.op_type == "Conv" else 1)
            moved = size(ins[0]) + size(out) + options.bytes * product(weight) / options.batch
            convolutions += moved
            microseconds += max(moved / options.memory, work / options.tensor_cores) / 1e6
            if node.op_type == "Conv":
                beside["plain"] += 2 * size(out)
                chain, last = [], out
                while len(users.get(last, [])) == 1 and users[last][0].op_type in ACTIVATIONS | {"Add"} and all(i == last or i in weights or i not in shapes or i in done for i in users[last][0].input):
                    chain.append(users[last][0])
                    chained.add(users[last][0].output[0])
                    last = chain[-1].output[0]
                others = sum(size(i) for n in chain for i in n.input if n.op_type == "Add" and i not in {out, *(c.output[0] for c in chain)})
                beside["compiled"] += size(out) + size(last) + others
                # A convolution reads what is added, and writes nothing more.
                beside["all fused"] += others
        else:
            moved = sum(size(i) for i in ins) + size(out)
            if node.op_type in {"Flatten", "Reshape", "Squeeze", "Identity", "Dropout"}:
                moved = 0
            for way in WAYS:
                if way in ("plain", "bias fused") or out not in chained:
                    beside[way] += moved
        done.update(node.output)
    return convolutions, {way: (moved, microseconds + moved / options.memory / 1e6) for way, moved in beside.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("networks", nargs="+")
    parser.add_argument("--bytes", type=int, default=2, help="of a value: 2 for fp16, 4 for tf32")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--memory", type=float, default=3.35, help="TB/s")
    parser.add_argument("--tensor-cores", type=float, default=990, help="TFLOP/s")
    options = parser.parse_args()
    print("| network | convolutions' own MB a photo | " + " | ".join(f"{way}: MB beside, least us, at most photos/s" for way in WAYS) + " |")
    print("|---|---|" + "---|" * len(WAYS))
    for path in options.networks:
        convolutions, ways = passes(path, options)
        cells = [f"{moved / 1e6:.1f}, {least:.1f}, {1e6 / least:,.0f}" for moved, least in ways.values()]
        print(f"| {os.path.splitext(os.path.basename(path))[0]} | {convolutions / 1e6:.1f} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
