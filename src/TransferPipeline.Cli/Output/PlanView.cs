using System.Globalization;
using TransferPipeline.Pipelines;

namespace TransferPipeline.Cli.Output;

/// <summary>A plan as text.</summary>
internal static class PlanView
{
    /// <returns>Usage when something would make the run fail.</returns>
    public static ExitCode Write(PipelinePlan plan, bool json)
    {
        if (json)
            Json.Write(plan);
        else
            WriteText(plan);
        foreach (var problem in plan.Problems)
            Messages.Error(problem);
        return plan.Problems.Count == 0 ? ExitCode.Done : ExitCode.Usage;
    }

    private static void WriteText(PipelinePlan plan)
    {
        if (plan.Photos > 0)
        {
            var problems = plan.DataProblems.Count switch
            {
                0 => "no problems",
                1 => $"a problem ({plan.DataProblems[0].Path}: {plan.DataProblems[0].Problem})",
                var n => $"{n} problems (transfer data check lists them)",
            };
            Console.WriteLine($"{plan.Data}: {plan.Photos} photos, {plan.Classes} classes, {problems}");
        }

        if (plan.Heads.Count > 0)
            Console.WriteLine($"heads: {string.Join("; ", plan.Heads)}");
        foreach (var note in plan.Notes)
            Console.WriteLine(note);
        foreach (var tuning in plan.Tunings)
            Console.WriteLine($"fine-tuning: {tuning}");
        if (plan.Sets.Count == 0)
        {
            Console.WriteLine("nothing was done");
            return;
        }

        Tables.Write(
            ["features", ">values", ">vectors", ">there", ">MB", ">time", "folder"],
            plan.Sets.Select(s =>
                new[]
                {
                    $"{s.Model} {s.Cut}",
                    Number(s.Dimension),
                    Number(s.Vectors),
                    Number(s.There),
                    (s.Bytes / 1e6).ToString("0.0", CultureInfo.InvariantCulture),
                    Time(s.Seconds),
                    s.Folder,
                }
            )
        );
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"extraction would take "
                    + $"{(plan.Seconds is { } seconds ? $"about {Time(seconds)} and " : "")}{plan.BytesNeeded / 1e6:0.0} MB of "
                    + $"{plan.BytesFree / 1e9:0.0} GB free; nothing was done"
            )
        );
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    // Rounded up, so that a short extraction is not stated as no time at all.
    private static string Time(double? seconds) => seconds is { } known ? StatusLine.Time(TimeSpan.FromSeconds(Math.Ceiling(known))) : "";
}
