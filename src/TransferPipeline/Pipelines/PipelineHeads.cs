using TransferPipeline.Evaluation;
using TransferPipeline.Jobs;

namespace TransferPipeline.Pipelines;

/// <summary>A head that a pipeline requests.</summary>
/// <param name="Where">File, line and key, as an error about it begins.</param>
/// <param name="IsAvailable">False where its package is absent.</param>
internal sealed record PipelineHead(HeadSpec Spec, string Where, bool IsAvailable);

/// <summary>Reads the heads of a pipeline, and chooses the one to export. A run throws the first fault, a plan collects all.</summary>
internal static class PipelineHeads
{
    /// <param name="fault">Receives each head that is wrong, or not available though it is not optional.</param>
    public static List<PipelineHead> Read(Toolbox tools, Pipeline pipeline, Action<BadInputException> fault)
    {
        var heads = new List<PipelineHead>();
        foreach (var request in pipeline.Heads)
        {
            Check(
                request.Step.Where,
                fault,
                () =>
                {
                    var spec = request.Spec(tools.Trainers);
                    var reason = spec.Trainer.Unavailable;
                    heads.Add(new(spec, request.Step.Where, reason is null));
                    if (reason is not null && !request.Optional)
                        throw new UsageException($"{request.Step.Name} is not available: {reason}; or mark it 'optional: true'");
                }
            );
        }

        Check(pipeline.Place("heads"), fault, () => HeadSpec.RequireDifferent(heads.Where(h => h.IsAvailable).Select(h => h.Spec)));
        return heads;
    }

    /// <summary>Finds class weights of classes that the photos do not have.</summary>
    public static void CheckClasses(IEnumerable<PipelineHead> heads, IReadOnlyList<string> classes, Action<BadInputException> fault)
    {
        foreach (var head in heads)
            Check(head.Where, fault, () => head.Spec.CheckClasses(classes));
    }

    /// <summary>The head that the section <c>export</c> names, else the most accurate one of those that can be written.</summary>
    /// <returns>Its index in the comparison.</returns>
    /// <exception cref="UsageException">No head has the name, or none can be written.</exception>
    public static int Pick(Pipeline pipeline, ExportSection export, ComparisonRun run)
    {
        var wanted = export.Head;
        var candidates = Enumerable
            .Range(0, run.Fitted.Count)
            .Where(i => wanted == ExportSection.Best ? run.Fitted[i].NotExportable is null : run.Fitted[i].Name == wanted)
            .ToList();
        if (candidates.Count == 0)
            throw new UsageException(
                wanted == ExportSection.Best ? "none of the heads can be written as ONNX"
                : run.Result.LeftOut.FirstOrDefault(h => h.Name == wanted) is { } left
                    ? $"export: the head '{wanted}' was left out: {left.Reason}"
                : $"export: no head '{wanted}' among the heads of {pipeline.File}{NearestName.Hint(wanted, run.Fitted.Select(h => h.Name))}"
            );
        // Several heads can be of the trainer that is named, with other options.
        return candidates[Verdict.MostAccurate([.. candidates.Select(i => run.Result.Heads[i].Accuracy.Value)])];
    }

    private static void Check(string where, Action<BadInputException> fault, Action check)
    {
        try
        {
            check();
        }
        catch (UsageException e)
        {
            fault(new($"{where}: {e.Message}", e));
        }
    }
}
