using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using TransferPipeline.Heads;
using TransferPipeline.Heads.Common;
using TransferPipeline.TorchSharp;

namespace TransferPipeline.Benchmarks;

/// <summary>
/// Heads of TorchSharp while a thread collects garbage without a pause: whatever a finalizer frees too early ends the process or changes
/// a result.
/// </summary>
internal static class TorchHeadsUnderCollection
{
    private const int Rows = 600,
        Columns = 32,
        Classes = 5;

    /// <summary>Prints the SHA-256 of each solver's scores without collection, and how often they differed or failed with it.</summary>
    /// <param name="seconds">For each head and solver.</param>
    public static void Run(int seconds, string only)
    {
        var data = Data();
        foreach (var trainer in TorchHeads.Trainers)
        {
            foreach (var solver in only.Split(','))
                Run(trainer, solver, data, TimeSpan.FromSeconds(seconds));
        }
    }

    private static void Run(IHeadTrainer trainer, string solver, TrainingRows data, TimeSpan time)
    {
        var options = HeadOptions.Parse(
            trainer,
            new Dictionary<string, string>
            {
                ["solver"] = solver,
                ["learning_rate"] = "0.01",
                ["epochs"] = "4",
                ["batch_size"] = "16",
                ["weight_decay"] = "0.01",
                ["scaling"] = "standard",
            }
        );
        string Fit()
        {
            var head = trainer.Train(data, options, new TrainingContext { Threads = 1 });
            var scores = new float[Rows * Classes];
            head.Score(data.X, data.Rows, scores);
            return Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(scores.AsSpan())))[..16];
        }

        var expected = Fit();
        var (fits, others, failures, isEnding) = (0, 0, new List<string>(), false);
        var collector = new Thread(() =>
        {
            while (!Volatile.Read(ref isEnding))
            {
                GC.Collect(0, GCCollectionMode.Forced, blocking: true);
                GC.WaitForPendingFinalizers();
            }
        });
        collector.Start();
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < time; fits++)
        {
            try
            {
                others += Fit() == expected ? 0 : 1;
            }
            catch (Exception e)
            {
                // Counted: the next fit goes on.
                failures.Add(e.Message.Split('\n', 2)[0]);
            }
        }

        Volatile.Write(ref isEnding, true);
        collector.Join();
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{trainer.Name} {solver}: {expected}, {fits} fits, {others} with other scores, {failures.Count} failed "
                    + $"{failures.FirstOrDefault()}"
            )
        );
    }

    private static TrainingRows Data()
    {
        var random = RandomStream.OfPart(3, 1);
        var values = new float[Rows * Columns];
        var labels = new int[Rows];
        for (var i = 0; i < values.Length; i++)
            values[i] = (float)random.NormalAt((ulong)i) + (i / Columns % Classes == i % Columns ? 1.5f : 0);
        for (var row = 0; row < Rows; row++)
            labels[row] = row % Classes;
        return new(new FeatureMatrix(Rows, Columns, values), labels, [.. Enumerable.Range(0, Rows)], Classes);
    }
}
