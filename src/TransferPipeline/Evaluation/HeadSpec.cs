using System.Globalization;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Evaluation;

/// <summary>A requested head: its trainer, its fixed settings and the options to sweep.</summary>
public sealed record HeadSpec
{
    internal HeadSpec() { }

    /// <summary>Trains the head.</summary>
    public required IHeadTrainer Trainer { get; init; }

    /// <summary>Values of the options; of a swept option the default.</summary>
    public required HeadOptions Options { get; init; }

    internal IReadOnlyList<Sweep> Sweeps { get; init; } = [];

    /// <summary>What was set or swept, as text, by name.</summary>
    public required IReadOnlyDictionary<string, string> Given { get; init; }

    /// <summary>Its name and what was set or swept: <c>linear-svm C=0.01</c>.</summary>
    public required string Title { get; init; }

    /// <summary>Leave the head out with a warning, rather than fail, when it is unavailable here.</summary>
    public bool Optional { get; init; }

    /// <summary>
    /// For each head the shortest name that no other has: the trainer's, with the options in which heads of that trainer
    /// differ.
    /// </summary>
    internal static IReadOnlyList<string> ShortNames(IReadOnlyList<HeadSpec> specs) =>
        [
            .. specs.Select(spec =>
            {
                var alike = specs.Where(s => s.Trainer.Name == spec.Trainer.Name).ToArray();
                return Join(spec.Trainer.Name, Words(spec.Given.Where(o => alike.Any(s => s.Given.GetValueOrDefault(o.Key) != o.Value))));
            }),
        ];

    /// <summary>The title with chosen values in the place of sweeps: <c>softmax C=0.3162</c>.</summary>
    internal string TitleWith(HeadOptions chosen) => Join(Trainer.Name, SettingsWith(chosen));

    /// <summary>That title without the name: <c>C=0.3162</c>.</summary>
    internal string SettingsWith(HeadOptions chosen) =>
        Words(Given.Select(o => KeyValuePair.Create(o.Key, Sweeps.Any(s => s.Option == o.Key) ? Rounded(chosen.Values[o.Key]) : o.Value)));

    /// <summary>A head with fixed values: <c>new LinearSvm { C = 0.1 }</c>.</summary>
    public static implicit operator HeadSpec(HeadOptions options)
    {
        options.Check();
        var values = options.Values;
        // What differs from the defaults: a head from code then has the title that it has on the command line.
        var given = options.Trainer.Options.Where(o => values[o.Name] != o.DefaultText).ToDictionary(o => o.Name, o => values[o.Name]);
        return Create(options.Trainer, given);
    }

    /// <summary>Refuses settings that name a class that is not there, before anything is computed.</summary>
    /// <exception cref="UsageException">The class is named, and the nearest one.</exception>
    internal void CheckClasses(IReadOnlyList<string> classes)
    {
        if (Options is not IWeightedHead weighted)
            return;
        foreach (
            var text in Sweeps.FirstOrDefault(s => s.Option == ClassWeights.Name)?.Values.Select(v => v.Text) ?? [weighted.ClassWeight]
        )
            ClassWeights.Check(Trainer.Name, text, classes);
    }

    /// <param name="options">Values as text; one that is a list, a <c>logspace(...)</c> or <c>coarse-to-fine</c> is a sweep.</param>
    /// <exception cref="UsageException">A name or value is wrong.</exception>
    public static HeadSpec Create(IHeadTrainer trainer, IReadOnlyDictionary<string, string>? options = null)
    {
        options ??= new Dictionary<string, string>();
        // A name that is no option counts as not found here; whichever parser gets it refuses it with the nearest name.
        var isSwept = options.ToLookup(o => SweepParser.IsSweep(trainer.Options.FirstOrDefault(t => t.Name == o.Key), o.Value));
        var spec = new HeadSpec
        {
            Trainer = trainer,
            // In one order, however they were typed: of equally good combinations the order of sweeps decides.
            // Before the options: what YAML makes of a sweep without quotes ends in options of odd names.
            Sweeps =
            [
                .. isSwept[true].Select(o => SweepParser.Parse(trainer, o.Key, o.Value)).OrderBy(s => s.Option, StringComparer.Ordinal),
            ],
            Options = HeadOptions.Parse(trainer, isSwept[false].ToDictionary(o => o.Key, o => o.Value)),
            Given = new SortedDictionary<string, string>(options.ToDictionary(o => o.Key, o => o.Value), StringComparer.Ordinal),
            Title = Join(trainer.Name, Words(options)),
        };
        // What contradicts itself can be trained on no data.
        spec.RequirePossible(int.MaxValue, int.MaxValue);
        return spec;
    }

    /// <summary>
    /// Reads a list of heads: names separated by commas, each followed by its options:
    /// <c>softmax,linear-svm:C=0.1,scaling=standard,knn:k=[1,3,5]</c>.
    /// </summary>
    /// <param name="set">Assignments for every head that has the option, <c>C=0.1</c>, or for the heads of one name, <c>softmax.C=0.1</c>;
    /// options in the list come first.</param>
    /// <exception cref="UsageException">A name or value is wrong; the nearest valid name is suggested.</exception>
    public static IReadOnlyList<HeadSpec> ParseList(string heads, IEnumerable<string> set, IReadOnlyList<IHeadTrainer> trainers)
    {
        var requested = HeadListParser.Parse(heads, trainers);
        HeadListParser.Assign(set, requested, trainers);
        var specs = requested.Select(a => Create(a.Trainer, a.Options)).ToArray();
        RequireDifferent(specs);
        return specs;
    }

    /// <summary>Refuses heads whose options mean the same, however they are written: <c>C=1</c> and <c>C=1.0</c>.</summary>
    // Two such heads would be fitted twice, tie with each other, and weigh on Holm's correction;
    // sweeps and few-shot curves name their head by its title.
    internal static void RequireDifferent(IEnumerable<HeadSpec> specs)
    {
        if (specs.GroupBy(s => s.Meaning).FirstOrDefault(g => g.Count() > 1)?.ToArray() is not [var first, var second, ..])
            return;
        Throw.Usage(
            first.Title == second.Title
                ? $"the head '{first.Title}' is listed twice; leave one out, or give them other options"
                : $"'{first.Title}' and '{second.Title}' are the same head, since their options have the same values; leave one out"
        );
    }

    /// <summary>The values of all options, and those of the sweeps, in one form.</summary>
    private string Meaning =>
        string.Join(
            '\n',
            [Options.ToString(), .. Sweeps.Select(s => $"{s.Option}{(s.CoarseToFine ? " refined" : "")}: {string.Join(" | ", s.Values)}")]
        );

    /// <summary>Why no head can be trained with these settings on so many rows of so many values; null where one may be.</summary>
    internal string? Impossible(int rows, int columns)
    {
        string? first = null;
        foreach (var options in Combinations())
        {
            if (options.Impossible(rows, columns) is not { } problem)
                return null;
            first ??= problem;
        }

        return first;
    }

    /// <exception cref="UsageException">As <see cref="Impossible"/> says.</exception>
    internal void RequirePossible(int rows, int columns)
    {
        if (Impossible(rows, columns) is { } problem)
            Throw.Usage(problem);
    }

    private IEnumerable<HeadOptions> Combinations() =>
        Sweeps.Aggregate<Sweep, IEnumerable<HeadOptions>>(
            [Options],
            static (all, sweep) => all.SelectMany(options => sweep.Values.Select(value => sweep.Apply(options, value)))
        );

    private static string Words(IEnumerable<KeyValuePair<string, string>> options) =>
        string.Join(' ', options.OrderBy(o => o.Key, StringComparer.Ordinal).Select(o => $"{o.Key}={o.Value}"));

    /// <summary>The parts of a title that are not empty.</summary>
    internal static string Join(params IEnumerable<string> parts) => string.Join(' ', parts.Where(p => p.Length > 0));

    /// <summary>Four significant digits, as 0.0001 and 10000 rather than with an exponent.</summary>
    private static string Rounded(string value)
    {
        if (!double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
            return value;
        var rounded = number.ToString("G4", CultureInfo.InvariantCulture);
        var size = Math.Abs(number);
        // Four digits of a number from 1e-4 on need at most seven decimals.
        return size is >= 1e-4 and < 1e7
            ? double.Parse(rounded, CultureInfo.InvariantCulture).ToString("0.#######", CultureInfo.InvariantCulture)
            : rounded;
    }
}
