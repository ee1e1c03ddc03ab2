using System.Runtime.InteropServices;
using TransferPipeline.TorchSharp;
using TransferPipeline.TorchSharp.Tuning;
using static TorchSharp.torch;

namespace TransferPipeline.Tests.TorchSharp.Tuning;

public sealed class ShardThreadsTests
{
    /// <summary>
    /// oneDNN asks OpenMP for its threads, of which a new thread has as many as there are cores; with two the sums have another order.
    /// </summary>
    [Fact]
    public void Run_ConvolutionAsTheFirstOperatorOfAThread_ComputesAlone()
    {
        TunedParts.RequireTorch();
        using var scope = NewDisposeScope();
        _ = TorchRuntime.Device("test", TorchDevice.Cpu);
        var x = tensor(OperatorCase.Values(2 * 4 * 6 * 5, 1), [2, 4, 6, 5]);
        var w = tensor(OperatorCase.Values(4 * 4 * 3 * 3, 2), [4, 4, 3, 3]);
        // Elementwise operators would set the thread's number before the convolution does.
        var given = x.clone();
        var expected = Gradient();
        var found = new Tensor[40];
        using (var threads = new ShardThreads(4))
            threads.Run(found.Length, piece => found[piece] = Gradient());
        Assert.All(found, gradient => Assert.Equal(Bytes(expected), Bytes(gradient)));

        Tensor Gradient()
        {
            var weights = w.detach().requires_grad_(true);
            autograd.backward([nn.functional.conv2d(x, weights, padding: [1, 1])], [given]);
            return weights.grad!;
        }

        static byte[] Bytes(Tensor values) => MemoryMarshal.AsBytes(values.data<float>().ToArray().AsSpan()).ToArray();
    }

    [Fact]
    public void Run_WherePiecesFail_ThrowsTheFirstPiecesFailureAndGoesOn()
    {
        TunedParts.RequireTorch();
        using var threads = new ShardThreads(3);
        var done = 0;
        var error = Assert.Throws<InvalidOperationException>(() => threads.Run(9, Work));
        Assert.Equal("piece 3", error.Message);
        Assert.Equal(7, done);

        void Work(int piece)
        {
            if (piece is 3 or 5)
                throw new InvalidOperationException($"piece {piece}");
            Interlocked.Increment(ref done);
        }
    }
}
