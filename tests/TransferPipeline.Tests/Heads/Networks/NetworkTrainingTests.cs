using TransferPipeline.Heads;
using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Networks;

namespace TransferPipeline.Tests.Heads.Networks;

public sealed class NetworkTrainingTests
{
    public static TheoryData<int> Cases => [.. Enumerable.Range(0, 6)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Run_SameStartAndOrder_EndsWithTorchsWeights(int number)
    {
        var golden = Golden.Read("epochs").GetProperty("cases")[number];
        var (x, y) = Mixture.Create(40, 9, 3, 41);
        var data = Mixture.Training(x, y, 30) with { ValidationRows = [.. Enumerable.Range(30, 10)] };
        var draw = Mixture.Draw(43);
        int[] widths = [9, .. golden.Text("hidden").Split(',', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse), 3];
        var start = new DenseNetwork([.. widths.Zip(widths.Skip(1), (inputs, outputs) => Layer(draw, inputs, outputs))]);
        var options = new Mlp
        {
            Solver = golden.Text("solver") == "adam" ? EpochSolver.Adam : EpochSolver.Sgd,
            LearningRate = golden.GetProperty("learning_rate").GetDouble(),
            Momentum = golden.GetProperty("momentum").GetDouble(),
            WeightDecay = golden.GetProperty("weight_decay").GetDouble(),
            StepSize = golden.GetProperty("step_size").GetInt32(),
            Gamma = golden.GetProperty("gamma").GetDouble(),
            BatchSize = golden.GetProperty("batch_size").GetInt32(),
            Epochs = golden.GetProperty("epochs").GetInt32(),
            BestWeights = false,
        };
        var weights = golden.Floats("class_weights");

        var (network, fit) = new NetworkTraining(
            start,
            data,
            FeatureScaling.None,
            options,
            weights.Length == 0 ? null : weights,
            new() { Threads = 2 }
        )
        {
            Name = "test",
        }.Run(_ => Order(draw, 30));

        var expected = golden
            .GetProperty("parameters")
            .EnumerateArray()
            .Select(p => p.EnumerateArray().Select(v => v.GetSingle()).ToArray())
            .ToArray();
        for (var l = 0; l < network.Layers.Count; l++)
        {
            HeadChecks.AssertClose(expected[2 * l], network.Layers[l].Weights, 1e-5);
            HeadChecks.AssertClose(expected[2 * l + 1], network.Layers[l].Bias, 1e-5);
        }

        var history = golden.Floats("history");
        for (var e = 0; e < fit.History.Count; e++)
        {
            Assert.Equal(e + 1, fit.History[e].Epoch);
            Assert.Equal(history[3 * e], fit.History[e].TrainAccuracy, 1e-6);
            Assert.Equal(history[3 * e + 1], fit.History[e].ValidationLoss, 1e-5);
            Assert.Equal(history[3 * e + 2], fit.History[e].ValidationAccuracy, 1e-6);
        }
    }

    [Fact]
    public void Backward_Gradients_AreThoseOfFiniteDifferences()
    {
        var network = DenseNetwork.Create([6, 5, 4, 3], 1);
        var pass = new NetworkPass(network, 7, learns: true);
        var (x, y) = Mixture.Create(7, 6, 3, 3);
        x.Data.AsSpan(0, 42).CopyTo(pass.Inputs);
        float[] classWeights = [1, 2, 0.5f];
        var dropout = new Dropout(0.3, 5) { Step = 9 };

        double MeanLoss()
        {
            pass.Forward(7, dropout, 1);
            var (loss, weight, _) = pass.Loss(y, classWeights);
            return loss / weight;
        }

        MeanLoss();
        pass.Backward(7, dropout.Kept, 1);
        foreach (var parameter in pass.Parameters)
        {
            for (var i = 0; i < parameter.Values.Length; i++)
            {
                var (value, h) = (parameter.Values[i], 1e-3f);
                parameter.Values[i] = value + h;
                var above = MeanLoss();
                parameter.Values[i] = value - h;
                var below = MeanLoss();
                parameter.Values[i] = value;
                Assert.Equal((above - below) / (2 * h), parameter.Gradient[i], 2e-3);
            }
        }
    }

    [Fact]
    public void Dropout_Apply_DropsItsShareAnewInEachStep()
    {
        var dropout = new Dropout(0.4, 1);
        var (first, second, again) = (Ones(), Ones(), Ones());
        dropout.Step = 1;
        dropout.Apply(first, 0);
        dropout.Apply(again, 0);
        dropout.Step = 2;
        dropout.Apply(second, 0);
        Assert.Equal(first, again);
        Assert.NotEqual(first, second);
        Assert.Equal(0.4, first.Count(v => v == 0) / 10_007.0, 0.02);
        Assert.Equal(0.16, first.Zip(second).Count(p => p is { First: 0, Second: 0 }) / 10_007.0, 0.02);
        Assert.All(first, v => Assert.True(v == 0 || v == dropout.Kept));
        Assert.Equal(1 / 0.6f, dropout.Kept, 1e-6f);

        static float[] Ones() => [.. Enumerable.Repeat(1f, 10_007)];
    }

    [Fact]
    public void EpochOrder_Views_AreShownInTurn()
    {
        // Photo 7 has three views, photo 9 one, photo 8 two.
        var (x, y) = Mixture.Create(8, 2, 2, 1);
        var data = new TrainingRows(x, y, [0, 1, 2, 3, 4, 5], 2) { Photos = [7, 9, 7, 8, 7, 8, 0, 0] };
        var order = new EpochOrder(data, allViews: false, seed: 3);
        Assert.Equal(3, order.Count);
        Assert.Equal([0, 1, 3], order.Rows(0).Order());
        Assert.Equal([1, 2, 5], order.Rows(1).Order());
        Assert.Equal([1, 3, 4], order.Rows(2).Order());
        Assert.Equal([0, 1, 5], order.Rows(3).Order());
        Assert.Equal([0, 1, 2, 3, 4, 5], new EpochOrder(data, allViews: true, seed: 3).Rows(1).Order());
    }

    [Fact]
    public void EpochOrder_Shuffle_DependsOnSeedAndEpochAlone()
    {
        var (x, y) = Mixture.Create(100, 2, 2, 1);
        var data = Mixture.Training(x, y, 100);
        var order = new EpochOrder(data, false, 3);
        Assert.Equal(order.Rows(4), new EpochOrder(data, false, 3).Rows(4));
        Assert.NotEqual(order.Rows(4), order.Rows(5));
        Assert.NotEqual(order.Rows(4), new EpochOrder(data, false, 4).Rows(4));
        Assert.Equal(Enumerable.Range(0, 100), order.Rows(4).Order());
    }

    [Fact]
    public void DenseNetwork_Create_FillsTorchsRange()
    {
        var network = DenseNetwork.Create([400, 50, 3], 1);
        Assert.Equal(0.05, network.Layers[0].Weights.Max(Math.Abs), 1e-4);
        Assert.Equal(0.05 / Math.Sqrt(3), Math.Sqrt(network.Layers[0].Weights.Average(w => w * w)), 5e-4);
        Assert.Equal(1 / Math.Sqrt(50), network.Layers[1].Weights.Max(Math.Abs), 3e-3);
        Assert.True(network.Layers[0].Bias.Max(Math.Abs) <= 0.05);
        Assert.Equal(400 * 50 + 50 + 150 + 3, network.ParameterCount);
    }

    private static DenseLayer Layer(Func<double> draw, int inputs, int outputs)
    {
        float[] weights = [.. Enumerable.Range(0, inputs * outputs).Select(_ => (float)(draw() - 0.5))];
        return new(inputs, outputs, weights, [.. Enumerable.Range(0, outputs).Select(_ => (float)(draw() - 0.5))]);
    }

    private static int[] Order(Func<double> draw, int count)
    {
        var rows = Enumerable.Range(0, count).ToArray();
        for (var i = count - 1; i > 0; i--)
        {
            var j = (int)(draw() * (i + 1));
            (rows[i], rows[j]) = (rows[j], rows[i]);
        }

        return rows;
    }
}
