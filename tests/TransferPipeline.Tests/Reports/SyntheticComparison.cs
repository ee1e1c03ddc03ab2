using TransferPipeline.Evaluation;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Tests.Reports;

/// <summary>Comparisons with all that a report can show, the sizes and names as a test needs them.</summary>
internal static class SyntheticComparison
{
    public const string Script = "<script>alert(1)</script>";
    public const string Quotes = "\"o'clock\" & <b onclick='x()'>co</b>";
    public const string RightToLeft = "قميص أزرق\u202Egnp.exe";

    public static readonly string LongName = string.Join('/', Enumerable.Repeat("averyveryverylongnamewithoutanyspaceinit", 8));

    private static readonly string[] Kinds =
    [
        "softmax",
        "linear-svm",
        "lda",
        "ridge",
        "mlp",
        "knn",
        "svm-rbf",
        "logistic",
        "forest",
        "linear-sgd",
        "nearest-mean",
    ];

    public static string[] HostileClasses =>
        [Script, Quotes, RightToLeft, LongName, "</title></style></script><!--", "plain", "${alert(2)}", "]]>\u0000\uD800"];

    public static Comparison Create(
        int classes = 8,
        int heads = 7,
        int points = 300,
        int featureSets = 1,
        IReadOnlyList<string>? names = null,
        IReadOnlyList<string>? paths = null
    )
    {
        var random = new Random(5);
        names ??= [.. Enumerable.Range(0, classes).Select(k => $"class {k:D3}")];
        paths ??= [.. Enumerable.Range(0, 400).Select(i => $"validation/{names[i % names.Count]}/photo-{i:D4}.jpg")];
        var results = Enumerable.Range(0, heads).Select(h => Head(h, names, paths, featureSets, random)).ToArray();
        return new Comparison
        {
            Provenance = new(
                $"transfer compare --features out/clothing --heads softmax,linear-svm --report {Quotes}",
                17,
                [
                    .. Enumerable
                        .Range(0, featureSets)
                        .Select(s => new FeatureSetSummary(
                            $"out/clothing-{s}",
                            $"efficientnet-lite{2 * s}.onnx",
                            "penultimate",
                            1280,
                            s == 1 ? double.NaN : 41.5,
                            new SortedDictionary<string, string>
                            {
                                ["model_sha256"] = new('a', 64),
                                ["resize"] = "256, bilinear",
                                ["note"] = Script,
                            }
                        )),
                ],
                new SortedDictionary<string, string> { ["transfer"] = "0.1.0", ["onnxruntime"] = "1.29.0" }
            ),
            Data = new(
                names,
                new Dictionary<string, int[]>
                {
                    ["train"] = [.. names.Select((_, k) => 40 + (k * 37 % 200))],
                    ["validation"] = [.. names.Select((_, k) => 12 + (k % 9))],
                }
            ),
            Protocol = "split: trained on 3068 photos of train, scored on 341 photos of validation",
            Training = new(["train"], null),
            Verdict = $"{results[0].Title} is best with accuracy 0.868; tied with it is {results[^1].Title} (McNemar's exact test).",
            Heads = results,
            Tests =
            [
                .. from a in Enumerable.Range(0, heads)
                from b in Enumerable.Range(a + 1, heads - a - 1)
                select new PairedTest(
                    a,
                    b,
                    results[a].Accuracy.Value - results[b].Accuracy.Value,
                    20 + b,
                    11 + a,
                    0.04 / b,
                    Math.Min(1, 0.2 / b)
                ),
            ],
            Sweeps =
            [
                .. results.Take(3).Select((h, i) => Sweep(h.Title, i == 2)),
                new(
                    results[0].Title,
                    "scaling",
                    ["none", "standard", Script],
                    [0.84, 0.86, double.NaN],
                    [0.01, 0.012, double.NaN],
                    "standard",
                    false,
                    "5 inner folds"
                ),
            ],
            FewShot =
            [
                .. results
                    .Take(4)
                    .Select(
                        (h, i) =>
                            new FewShotCurve(
                                h.Title,
                                [1, 2, 5, 10, 20, 50],
                                [.. Enumerable.Range(0, 6).Select(n => Around(0.45 + (0.075 * n) - (0.01 * i), 0.08 - (0.01 * n)))],
                                10
                            )
                    ),
            ],
            DataCheck = new()
            {
                NearDuplicateCosine = 0.98,
                NearDuplicateCount = 61,
                SuspectLabelCount = 12,
                SuspectLabelsBy = results[0].Title,
                EvaluatedWithDuplicate = 9,
                AccuracyWithDuplicates = 0.868,
                AccuracyWithoutDuplicates = 0.861,
                NearDuplicates =
                [
                    .. Enumerable
                        .Range(0, 6)
                        .Select(i => new NearDuplicate(
                            paths[i],
                            "train",
                            names[i % names.Count],
                            paths[i + 9],
                            i % 2 == 0 ? "train" : "validation",
                            names[(i + (i / 3)) % names.Count],
                            0.999 - (i * 0.003)
                        )),
                ],
                SuspectLabels =
                [
                    .. Enumerable
                        .Range(0, 12)
                        .Select(i => new SuspectLabel(
                            paths[20 + i],
                            "train",
                            names[i % names.Count],
                            names[(i + 1) % names.Count],
                            0.001 * (i + 1),
                            0.98 - (0.01 * i)
                        )),
                ],
                Outliers =
                [
                    .. Enumerable.Range(0, 8).Select(i => new Outlier(paths[40 + i], "train", names[i % names.Count], 0.61 - (0.01 * i))),
                ],
            },
            Map = new(
                [.. Enumerable.Range(0, points).Select(i => Point(paths[i % paths.Count], i % names.Count, names.Count, random))],
                0,
                [0.21, 0.112],
                "t-SNE, perplexity 30, 750 steps"
            ),
            Warnings = [$"{results[^1].Title}: not converged after 100 iterations; raise max-iter", $"class '{Script}' has 4 photos"],
        };
    }

    private static HeadResult Head(int h, IReadOnlyList<string> names, IReadOnlyList<string> paths, int featureSets, Random random)
    {
        var kind = Kinds[h % Kinds.Length];
        var accuracy = 0.868 - (0.0137 * h) - (h > 3 ? 0.05 : 0);
        var confusion = names
            .Select(
                (_, t) =>
                    names
                        .Select(
                            (_, p) =>
                                p == t ? 30 + (t % 7)
                                : random.Next(12) == 0 ? 1 + random.Next(4)
                                : 0
                        )
                        .ToArray()
            )
            .ToArray();
        CalibrationBin[] Bins(double bend) =>
            [
                .. Enumerable
                    .Range(0, 15)
                    .Select(b => new CalibrationBin(
                        b / 15.0,
                        (b + 1) / 15.0,
                        b < 3 ? 0 : b * b,
                        (b + 0.5) / 15,
                        Math.Pow((b + 0.5) / 15, bend)
                    )),
            ];
        return new()
        {
            Name = kind,
            Title =
                h >= Kinds.Length ? $"{kind} {h}"
                : kind == "linear-svm" ? "linear-svm C=0.01"
                : kind,
            ShortName = h >= Kinds.Length ? $"{kind} {h}" : kind,
            ChosenTitle =
                h == 0 ? $"{kind} C=0.03162"
                : h >= Kinds.Length ? $"{kind} {h}"
                : kind == "linear-svm" ? "linear-svm C=0.01"
                : kind,
            ChosenSettings =
                h == 0 ? "C=0.03162"
                : h >= Kinds.Length ? $"{h}"
                : kind == "linear-svm" ? "C=0.01"
                : "",
            FeatureSet = h % featureSets,
            Parameters = new SortedDictionary<string, string>
            {
                ["C"] = "0.01",
                ["scale"] = "standard",
                ["class-weight"] = "none",
            },
            Accuracy = Around(accuracy, 0.036),
            BalancedAccuracy = Around(accuracy - 0.0213, 0.04),
            MacroF1 = Around(accuracy - 0.0171, 0.039),
            Top5 = names.Count > 5 ? 0.99 - (0.001 * h) : double.NaN,
            LogLoss = kind == "nearest-mean" ? double.NaN : 0.41 + (0.05 * h),
            LogLossScaled = h == 0 ? 0.397 : double.NaN,
            CalibrationError = 0.021 + (0.01 * h),
            CalibrationErrorScaled = h == 0 ? 0.0123 : double.NaN,
            Temperature = h == 0 ? 1.37 : double.NaN,
            SweepSeconds = h < 3 ? 1.2 + h : 0,
            FitSeconds = 0.013 * Math.Pow(2.6, (h * 5) % 7),
            PredictSeconds = 0.0021 * (h + 1),
            ParameterCount = 12810 * (h + 1),
            Objective = 1034.5,
            RelativeGap = 3e-7,
            Iterations = 21,
            Converged = h != 5,
            TiedWithBest = h < 3,
            PValue =
                h == 0 ? double.NaN
                : h < 3 ? 0.31 + (0.2 * h)
                : 0.04 / h / h / h,
            Confusion = confusion,
            PerClass =
            [
                .. names.Select(
                    (n, k) =>
                        new ClassResult(
                            n,
                            confusion[k].Sum(),
                            0.8 + (0.001 * k % 0.2),
                            0.9 - (0.001 * k % 0.3),
                            0.85 - (0.0007 * ((k * 31) % 90))
                        )
                ),
            ],
            Calibration = Bins(1.25),
            CalibrationScaled = h == 0 ? Bins(1.02) : [],
            History = kind is "mlp" or "linear-sgd"
                ? [.. Enumerable.Range(1, 25).Select(e => new EpochRecord(e, 2.1 / e, 1 - (0.6 / e), 2.2 / e + 0.2, 0.87 - (0.5 / e)))]
                : [],
            Mistakes =
            [
                .. Enumerable
                    .Range(0, 12)
                    .Select(i => new Mistake(
                        paths[(i * 17) % paths.Count],
                        names[i % names.Count],
                        names[(i + 1 + h) % names.Count],
                        0.999 - (0.011 * i)
                    )),
            ],
            FoldAccuracies = h == 1 ? [0.85, 0.871, 0.866, 0.849, 0.88] : [],
        };
    }

    private static SweepCurve Sweep(string head, bool edge)
    {
        var values = Enumerable.Range(0, 13).Select(i => Math.Pow(10, -4 + (0.5 * i))).ToArray();
        var scores = values.Select((_, i) => edge ? 0.6 + (0.02 * i) : 0.86 - (0.004 * (i - 5) * (i - 5))).ToArray();
        return new(head, "C", [.. values], scores, [.. values.Select(_ => 0.012)], edge ? values[^1] : values[5], edge, "5 inner folds");
    }

    private static MapPoint Point(string path, int label, int classes, Random random)
    {
        var angle = 2 * Math.PI * label / classes;
        double Spread() => (random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5) * 6;
        return new(
            path,
            label,
            label % 3 == 0 ? "validation" : "train",
            (4 * Math.Cos(angle)) + (0.4 * Spread()),
            (4 * Math.Sin(angle)) + (0.4 * Spread()),
            (20 * Math.Cos(angle)) + Spread(),
            (20 * Math.Sin(angle)) + Spread()
        );
    }

    private static ConfidenceInterval Around(double value, double half) =>
        new(value, Math.Max(0, value - (1.1 * half)), Math.Min(1, value + (0.9 * half)));
}
