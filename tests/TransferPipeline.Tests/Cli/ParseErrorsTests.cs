using static TransferPipeline.Tests.Cli.TransferResult;

namespace TransferPipeline.Tests.Cli;

/// <summary>Command lines that cannot be parsed: one clear line that names what is valid.</summary>
public sealed class ParseErrorsTests
{
    [Theory]
    [InlineData("extrct", "there is no command 'extrct'; did you mean 'extract'? (commands: init, run, extract, ")]
    [InlineData(
        "features shw set",
        "there is no command 'shw'; did you mean 'show'? (commands: show, verify, list, export, merge, drift) (see: transfer features "
            + "--help)"
    )]
    [InlineData("features", "a command is expected: show, verify, list, export, merge, drift (see: transfer features --help)")]
    [InlineData(
        "features drift a b --hed ridge",
        "there is no option '--hed'; did you mean '--head'? (see: transfer features drift --help)"
    )]
    [InlineData(
        "predict classifier.onnx photo.jpg --tpo 3",
        "there is no option '--tpo'; did you mean '--top'? (see: transfer predict --help)"
    )]
    [InlineData("features show --jsn", "there is no option '--jsn'; did you mean '--json'? (see: transfer features show --help)")]
    [InlineData("extract --treads 2", "there is no option '--treads'; did you mean '--threads'?")]
    [InlineData("extract --data x --model y --out z --threads two", "--threads is 'two', expected a whole number from 1 to 4096 (see: ")]
    [InlineData(
        "extract --data x --model y --out z --threads 99999999999",
        "--threads is '99999999999', expected a whole number from 1 to "
    )]
    [InlineData(
        "train --features x --out y --head softmax --seed 4294967296",
        "--seed is '4294967296', expected a whole number from 0 to 2147483647"
    )]
    [InlineData("train --features x --out y --head softmax --seed -1", "--seed is '-1', expected a whole number of at least 0 (see: ")]
    [InlineData(
        "finetune --data x --model y --out z --learning-rate 0,001",
        "--learning-rate is '0,001', expected a number from 1E-12 to 1000"
    )]
    [InlineData("extract --data x --model y --out z --device-memory 1,5", "--device-memory is '1,5', expected a number from 0 to 1000000")]
    [InlineData(
        "extract --data x --model y --out z --lock-wait 1e400",
        "--lock-wait is '1e400', expected a finite number from 0 to 10000000"
    )]
    [InlineData("data check --data x --validation-share 0,2", "--validation-share is '0,2', expected a number (see: ")]
    [InlineData("models add m.onnx --offset 127,5 --divisor 128", "--offset is '127,5', expected a level, such as 127.5")]
    [InlineData("bench heads --vectors x --labels y --rounds 0", "--rounds is '0', expected a whole number from 1 to 1000")]
    [InlineData(
        "extract --data x --model y --out z --threads 1 --threads 2",
        "--threads is given 2 times ('1', '2'), expected once (see: "
    )]
    [InlineData("features merge -- a b --out c", "'--out' stands behind '--', where every word is an argument (see: ")]
    [InlineData("compare --features x --heads ridge --heads", "--heads has no value, expected HEAD,HEAD,...: ")]
    [InlineData("extract --data x --model y --out z --max-failed two", "--max-failed is 'two', expected a number from 0 to 1 (see: ")]
    [InlineData("compare --features x --few-shot 1 two", "--few-shot is 'two', expected a whole number of at least 1 (see: ")]
    [InlineData("train --features x --out y --head softmax --seed 1.5", "--seed is '1.5', expected a whole number of at least 0 (see: ")]
    [InlineData(
        "extract --data x --model y --out z --decoder pilow",
        "there is no decoder 'pilow'; did you mean 'pillow'? (known: pillow, imagesharp)"
    )]
    [InlineData("compare --features x --few-shot 1 -1", "--few-shot is '-1', expected a whole number of at least 1")]
    [InlineData("predict", "<classifier> is missing: a classifier file that transfer wrote (see: transfer predict --help)")]
    [InlineData("predict c.onnx", "<photos> is missing: photos, folders with all photos below them")]
    [InlineData("run", "<pipeline> is missing: the pipeline, a YAML file (see: transfer run --help)")]
    [InlineData("train --features x --head ridge", "--out is missing: the classifier file (see: transfer train --help)")]
    [InlineData("predict c.onnx p --html", "--html has no value, expected PATH: also ")]
    [InlineData("train --features x --head ridge --out a --out b", "--out is given 2 times ('a', 'b'), expected once (see: ")]
    [InlineData("run ", "<pipeline> is empty, expected the pipeline, a YAML file (see: transfer run --help)")]
    [InlineData("run p.yaml --out ", "--out is empty, expected PATH: folder of all results; default out/<name of the pipeline> (see: ")]
    [InlineData("compare --features x --report ", "--report is empty, expected out.html: write an HTML page with all of it (see: ")]
    [InlineData("predict c.onnx p --html ", "--html is empty, expected PATH: ")]
    [InlineData(
        "data check --data p --label-column ",
        "--label-column is empty, expected NAME: CSV: column of labels; default label, class, ... ("
    )]
    [InlineData("data check --data x --extension ", "x: there is no such file or folder")]
    [InlineData("run p.yaml q.yaml", "'q.yaml' is one too many: run takes one <pipeline> (see: transfer run --help)")]
    [InlineData("features verify s --photos p", "'p' is one too many: verify takes one <dir>, and --photos has no value: give it with ")]
    [InlineData(
        "compare --features s --check-data on",
        "'on' is not expected: compare takes options alone, and --check-data has no value ("
    )]
    [InlineData("doctor now", "'now' is not expected: doctor takes options alone (see: transfer doctor --help)")]
    [InlineData("features export x --format nyp --out y", "--format 'nyp' is not one of npy, csv, parquet; did you mean 'npy'?")]
    [InlineData("extract --data x --model y --out z --parquet duckdb", "there is no Parquet library 'duckdb'")]
    [InlineData("features show x --parquet duckdb", "there is no Parquet library 'duckdb'")]
    [InlineData("features verify x --parquet duckdb", "there is no Parquet library 'duckdb'")]
    [InlineData("features list --parquet duckdb", "there is no Parquet library 'duckdb'")]
    [InlineData("features export x --format npy --out y --parquet duckdb", "there is no Parquet library 'duckdb'")]
    [InlineData("features merge x --out y --parquet duckdb", "there is no Parquet library 'duckdb'")]
    [InlineData("features drift x y --parquet duckdb", "there is no Parquet library 'duckdb'")]
    [InlineData("doctor --compare-decoders x --decoders pillow", "--decoders is 'pillow', expected two names, as in pillow,imagesharp")]
    public void Arguments_ThatAreWrong_NameWhatIsValid(string arguments, string expected) =>
        AssertRefused(TransferProcess.Run(arguments.Split(' ')), expected);

    [Theory]
    [InlineData("extrac")]
    [InlineData("extract", "--data", "x")]
    [InlineData("compare", "--features", "x", "--folds", "many")]
    public void AnyCommand_WrongUsage_ExitsWithTwo(params string[] arguments)
    {
        var result = TransferProcess.Run(arguments);
        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith("transfer: ", result.LastErrorLine, StringComparison.Ordinal);
    }
}
