using TransferPipeline.Heads.Forest;
using TransferPipeline.Heads.Knn;
using TransferPipeline.Heads.Lda;
using TransferPipeline.Heads.LinearSgd;
using TransferPipeline.Heads.LinearSvm;
using TransferPipeline.Heads.Logistic;
using TransferPipeline.Heads.Mlp;
using TransferPipeline.Heads.NearestMean;
using TransferPipeline.Heads.Ridge;
using TransferPipeline.Heads.Softmax;
using TransferPipeline.Heads.SvmRbf;

namespace TransferPipeline.Heads;

/// <summary>The trainers of this library, by name; adapters of outside packages add theirs beside it.</summary>
public static class HeadCatalog
{
    public static IReadOnlyList<IHeadTrainer> Trainers { get; } =
    [
        new SoftmaxTrainer(),
        new LogisticTrainer(),
        new LinearSvmTrainer(),
        new RidgeTrainer(),
        new LdaTrainer(),
        new NearestMeanTrainer(),
        new KnnTrainer(),
        new ForestTrainer(),
        new MlpTrainer(),
        new LinearSgdTrainer(),
        new SvmRbfTrainer(),
    ];

    /// <summary>The trainer of that name among the given ones, or the library's.</summary>
    /// <exception cref="UsageException">There is none; the nearest name is suggested.</exception>
    public static IHeadTrainer Find(string name, IReadOnlyList<IHeadTrainer>? among = null)
    {
        among ??= Trainers;
        return among.FirstOrDefault(t => t.Name == name)
            ?? throw new UsageException($"there is no head '{name}'{NearestName.Hint(name, among.Select(t => t.Name))} (heads: {string.Join(", ", among.Select(t => t.Name))})");
    }
}
