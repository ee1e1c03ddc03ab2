using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using CsvHelper;
using TransferPipeline.Classifiers;

namespace TransferPipeline.Cli.Output;

/// <summary>Writes predictions one at a time, so that memory does not grow with the photos and what is done can be read at once.</summary>
internal abstract class PredictionWriter(TextWriter output, IReadOnlyList<string> labels, int top, bool all) : IDisposable
{
    public static readonly string[] Formats = ["text", "csv", "jsonl", "json"];

    protected TextWriter Output { get; } = output;

    protected IReadOnlyList<string> Labels { get; } = labels;

    /// <summary>Classes to name, the most probable first.</summary>
    protected int Top { get; } = Math.Min(top, labels.Count);

    /// <summary>Whether the probability of every class is wanted.</summary>
    protected bool All { get; } = all;

    public static PredictionWriter Create(string format, TextWriter output, IReadOnlyList<string> labels, int top, bool all) =>
        format switch
        {
            "csv" => new Csv(output, labels, top, all),
            "jsonl" => new Lines(output, labels, top, all),
            "json" => new JsonArray(output, labels, top, all),
            _ => new Text(output, labels, top, all),
        };

    public abstract void Write(PhotoPrediction prediction);

    private sealed record ClassShare(string Label, float Probability);

    /// <param name="Probabilities">By class; left out of the JSON where they are not wanted.</param>
    private sealed record Found(
        string File,
        string? Label,
        float? Probability,
        IEnumerable<ClassShare> Top,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Dictionary<string, float>? Probabilities,
        string? Failure
    );

    private Found Object(PhotoPrediction p) =>
        new(
            p.Photo.Name,
            p.Label,
            p.Failure is null ? (float)p.Probability : null,
            p.Top(Labels, Top).Select(t => new ClassShare(t.Label, (float)t.Probability)),
            All && p.Failure is null ? Labels.Zip(p.Probabilities).ToDictionary(StringComparer.Ordinal) : null,
            p.Failure
        );

    /// <summary>Writes what belongs at the end.</summary>
    public virtual void Dispose() => Output.Flush();

    /// <summary>For people: one line per photo. Photos that cannot be used are reported on stderr.</summary>
    private sealed class Text(TextWriter output, IReadOnlyList<string> labels, int top, bool all)
        : PredictionWriter(output, labels, top, all)
    {
        public override void Write(PhotoPrediction prediction)
        {
            if (prediction.Failure is not null)
                return;
            var top = prediction.Top(Labels, All ? Labels.Count : Top);
            var classes = top.Select(t => string.Create(CultureInfo.InvariantCulture, $"{t.Label} {t.Probability:0.000}"));
            Output.WriteLine(PlainText.Of($"{prediction.Photo.Name}: {string.Join("  ", classes)}"));
        }
    }

    /// <summary>
    /// RFC 4180: file, label, probability, the next classes, a column p_CLASS for each class if wanted, and why a photo could not be used.
    /// </summary>
    private sealed class Csv : PredictionWriter
    {
        private readonly CsvWriter _csv;

        public Csv(TextWriter output, IReadOnlyList<string> labels, int top, bool all)
            : base(output, labels, top, all)
        {
            _csv = CsvWriter.Create(output, new() { NewLine = "\n" }, leaveOpen: true);
            var next = Enumerable.Range(2, Top - 1).SelectMany(i => (string[])[Number("label_", i), Number("probability_", i)]);
            _csv.WriteRecord(["file", "label", "probability", .. next, .. All ? Labels.Select(l => "p_" + l) : [], "failure"]);
        }

        public override void Write(PhotoPrediction prediction)
        {
            var best = prediction.Top(Labels, Top).SelectMany(t => (string[])[t.Label, Value(t.Probability)]);
            if (prediction.Failure is not null)
                // Empty fields: a row has the columns of the header also where there is no prediction.
                best = Enumerable.Repeat("", 2 * Top);
            _csv.WriteRecord([
                prediction.Photo.Name,
                .. best,
                .. All ? Labels.Select((_, i) => prediction.Failure is null ? Value(prediction.Probabilities[i]) : "") : [],
                prediction.Failure ?? "",
            ]);
            // It has a buffer of its own, and people wait at a terminal.
            if (Output is StreamWriter { AutoFlush: true })
                _csv.Flush();
        }

        public override void Dispose()
        {
            _csv.Dispose();
            base.Dispose();
        }

        private static string Number(string name, int number) => name + number.ToString(CultureInfo.InvariantCulture);

        // All digits of a float32, so that a reader gets the same number.
        private static string Value(double probability) => ((float)probability).ToString("R", CultureInfo.InvariantCulture);
    }

    /// <summary>One object per line.</summary>
    private sealed class Lines(TextWriter output, IReadOnlyList<string> labels, int top, bool all)
        : PredictionWriter(output, labels, top, all)
    {
        private static readonly JsonSerializerOptions OneLine = new(Json.Options) { WriteIndented = false };

        public override void Write(PhotoPrediction prediction) =>
            // The same line end on every platform, since other programs read it.
            Output.Write(JsonSerializer.Serialize(Object(prediction), OneLine) + "\n");
    }

    /// <summary>One array of objects.</summary>
    private sealed class JsonArray(TextWriter output, IReadOnlyList<string> labels, int top, bool all)
        : PredictionWriter(output, labels, top, all)
    {
        private bool _begun;

        public override void Write(PhotoPrediction prediction)
        {
            Output.Write(_begun ? ",\n" : "[\n");
            _begun = true;
            Output.Write("  " + JsonSerializer.Serialize(Object(prediction), Json.Options).Replace("\n", "\n  ", StringComparison.Ordinal));
        }

        public override void Dispose()
        {
            Output.Write(_begun ? "\n]\n" : "[]\n");
            base.Dispose();
        }
    }
}
