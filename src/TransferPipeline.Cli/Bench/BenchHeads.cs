using System.CommandLine;
using System.Globalization;
using TransferPipeline.Cli.Commands;
using TransferPipeline.Cli.Output;

namespace TransferPipeline.Cli.Bench;

/// <summary><c>transfer bench heads</c>: fits heads on vectors from npy files, to be timed beside other tools.</summary>
internal static class BenchHeads
{
    public static Command Create()
    {
        var vectors = new Option<string>("--vectors")
        {
            Description = "An npy file of N x D float32 values.",
            HelpName = "PATH",
            Required = true,
        };
        var labels = new Option<string>("--labels")
        {
            Description = "An npy file of N classes from 0.",
            HelpName = "PATH",
            Required = true,
        };
        var heads = new Option<string>("--heads")
        {
            Description = "As in compare; a list in brackets fits a path: softmax:C=[0.1,1].",
            HelpName = "HEAD,HEAD,...",
            DefaultValueFactory = _ => "softmax,linear-svm,ridge",
        };
        var rounds = Common.Whole("--rounds", "Fits of each head; the first includes compiling.", 3, new(1, 1000));
        var coefficients = new Option<string?>("--coefficients")
        {
            Description = "Folder for the weights of linear heads.",
            HelpName = "PATH",
        };
        var (threads, json) = (Common.Threads(), Common.Json());
        var command = new Command("heads", "Time, objective and gap of fits on vectors from npy files.")
        {
            vectors,
            labels,
            heads,
            rounds,
            coefficients,
            threads,
            json,
        };
        command.SetAction(
            (parsed, cancellation) =>
            {
                var results = HeadBenchmark.Run(
                    parsed.GetValue(vectors)!,
                    parsed.GetValue(labels)!,
                    parsed.GetValue(heads)!,
                    Common.Tools.Trainers,
                    parsed.GetValue(rounds),
                    parsed.GetValue(threads),
                    parsed.GetValue(coefficients),
                    Console.Error.WriteLine,
                    cancellation
                );
                if (parsed.GetValue(json))
                    Json.Write(results);
                else
                    Write(results);
                return Task.FromResult((int)ExitCode.Done);
            }
        );
        return command;
    }

    private static void Write(IReadOnlyList<HeadBenchmarkResult> results) =>
        Tables.Write(
            ["head", ">best s", ">objective", ">gap", ">iterations", ">accuracy"],
            [
                .. results.Select(r =>
                    new[]
                    {
                        r.Head,
                        // The best round: other programs on the machine can only make a round slower.
                        Text($"{r.Seconds.Min():0.0000}"),
                        Text($"{r.Objective:0.######}"),
                        Text($"{r.RelativeGap:0.0E+0}"),
                        Text($"{r.Iterations}"),
                        Text($"{r.Accuracy:0.000}"),
                    }
                ),
            ],
            "heads on the rows they were trained on"
        );

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
