using System.CommandLine;
using TransferPipeline.Cli.Bench;
using TransferPipeline.Cli.Completion;

namespace TransferPipeline.Cli.Commands;

/// <summary>All commands by name. Only the one that is called is built in full, so that every call and <c>--help</c> start fast.</summary>
internal static class CommandTable
{
    private static readonly (string Name, string Summary, Func<string, string, Command> Create)[] All =
    [
        ("init", "Writes a commented pipeline for photos.", InitCommand.Create),
        ("run", "Does a whole pipeline: extract, compare, export.", RunCommand.Create),
        ("extract", "Computes the vectors of a dataset's photos and caches them.", ExtractCommand.Create),
        ("features", "Shows, verifies, lists, exports, merges or compares feature sets.", FeaturesCommand.Create),
        ("train", "Trains one head and writes backbone and head as one ONNX file.", TrainCommand.Create),
        ("finetune", "Trains a backbone above a cut, and writes it as an ONNX file.", FinetuneCommand.Create),
        ("compare", "Trains several heads on the same vectors and reports which is best.", CompareCommand.Create),
        ("export", "Writes a head that was compared, and its backbone, as one ONNX file.", ExportCommand.Create),
        ("predict", "Classifies photos with a classifier file.", PredictCommand.Create),
        ("heads", "Lists the heads and their options.", HeadsCommand.Create),
        ("inspect", "Shows a backbone's layers, its cost and where it is cut.", InspectCommand.Create),
        ("models", "Lists, downloads, verifies or adds backbones.", ModelsCommand.Create),
        ("data", "Checks a dataset before any work.", DataCommand.Create),
        ("doctor", "Shows what this installation can do, and what is missing.", DoctorCommand.Create),
        ("bench", "Measures the speed of extraction or of heads on this machine.", BenchCommand.Create),
        ("completion", "Prints the script by which a shell completes commands, heads and models.", CompletionCommand.Create),
    ];

    /// <summary>By the names of the commands, each with a space behind it.</summary>
    private static readonly Dictionary<string, string[]> ExampleTable = new()
    {
        [""] =
        [
            "transfer extract --data PHOTOS --model efficientnet-lite0 --out set",
            "transfer compare --features set --heads softmax,linear-svm,ridge --report report.html",
            "transfer train --features set --head softmax --out classifier.onnx",
            "transfer predict classifier.onnx PHOTO.jpg",
        ],
        ["init "] = ["transfer init PHOTOS", "transfer init PHOTOS --out jobs/photos.yaml"],
        ["run "] =
        [
            "transfer run pipelines/clothing-sample.yaml --dry-run",
            "transfer run job.yaml --set data.path=/photos --set 'heads=[softmax,ridge]' --out results",
        ],
        ["extract "] =
        [
            "transfer extract --data PHOTOS --model efficientnet-lite0 --out set",
            "transfer extract --data labels.csv --folder train --extension .jpg --model resnet50 --out set",
            "transfer extract --data PHOTOS --model model.onnx --cut features --pooling avg --out set",
        ],
        ["features show "] = ["transfer features show set"],
        ["features verify "] = ["transfer features verify set"],
        ["features list "] = ["transfer features list out"],
        ["features export "] = ["transfer features export set --format npy --out vectors"],
        ["features merge "] = ["transfer features merge shard-1 shard-2 --out set"],
        ["features drift "] = ["transfer features drift set-of-cpu set-of-gpu"],
        ["train "] =
        [
            "transfer train --features set --head linear-svm --set C=0.01 --out classifier.onnx",
            "transfer train --features set --head softmax --set 'C=logspace(-4,2,13)' --out classifier.onnx",
        ],
        ["finetune "] =
        [
            "transfer finetune --data PHOTOS --model efficientnet-lite0 --out tuned.onnx --classifier classifier.onnx",
            "transfer finetune --data PHOTOS --model resnet18 --cut last-block --views 8 --epochs 16 --out tuned.onnx",
        ],
        ["compare "] =
        [
            "transfer compare --features set --heads softmax,linear-svm:C=0.01,knn:n_neighbors=5 --report report.html",
            "transfer compare --features set --heads softmax,ridge --folds 10 --check-data --json > comparison.json",
            "transfer compare --features set-of-resnet50 --features set-of-vgg16 --heads softmax",
        ],
        ["export "] = ["transfer export comparison.json --head linear-svm --out classifier.onnx"],
        ["predict "] =
        [
            "transfer predict classifier.onnx PHOTO.jpg",
            "transfer predict classifier.onnx PHOTOS --format csv > predictions.csv",
            "transfer predict classifier.onnx PHOTOS --html predictions.html",
        ],
        ["heads "] = ["transfer heads", "transfer heads softmax"],
        ["inspect "] = ["transfer inspect model.onnx", "transfer inspect resnet50 --cuts"],
        ["models list "] = ["transfer models list"],
        ["models pull "] = ["transfer models pull resnet50"],
        ["models verify "] = ["transfer models verify"],
        ["models quantize "] = ["transfer models quantize efficientnet-lite0 --data PHOTOS --out int8.onnx"],
        ["models add "] = ["transfer models add model.onnx --name mine --resize 256 --crop 224 --range=-1,1"],
        ["data check "] = ["transfer data check --data PHOTOS", "transfer data check --data labels.csv --folder train --extension .jpg"],
        ["completion "] = ["transfer completion bash", "transfer completion powershell"],
        ["doctor "] = ["transfer doctor"],
        ["bench extract "] = ["transfer bench extract --data PHOTOS"],
        ["bench heads "] = ["transfer bench heads --vectors x.npy --labels y.npy --heads softmax"],
    };

    /// <summary>What can be typed, for the help.</summary>
    public static IReadOnlyList<string> Examples(string command) => ExampleTable.GetValueOrDefault(command) ?? [];

    public static bool Has(string command) => All.Any(c => c.Name == command);

    public static IEnumerable<Command> For(string[] args)
    {
        // Options may stand before the command; none of the root takes a value.
        var called = args.FirstOrDefault(a => !a.StartsWith('-'));
        // The others are needed for the list in the help and for the hint at a misspelt name.
        foreach (var (name, summary, create) in All)
            yield return name == called ? Named(create(name, summary)) : new Command(name, summary);
    }

    /// <summary>States in the help which options take numbers.</summary>
    private static Command Named(Command command)
    {
        foreach (var option in command.Options)
        {
            var type = option.ValueType.GetElementType() ?? Nullable.GetUnderlyingType(option.ValueType) ?? option.ValueType;
            option.HelpName ??=
                type == typeof(int) ? "N"
                : type == typeof(double) ? "X"
                : null;
        }

        Completions.AddTo(command);
        foreach (var subcommand in command.Subcommands)
            Named(subcommand);
        return command;
    }
}
