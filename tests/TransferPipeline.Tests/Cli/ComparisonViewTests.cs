namespace TransferPipeline.Tests.Cli;

/// <summary>What a comparison prints besides its table.</summary>
public sealed class ComparisonViewTests
{
    [Fact]
    public void Compare_CurvesChecksAndCalibration_AreOnStdout()
    {
        using var folder = new TempFolder();
        var set = SyntheticFeatureSet.Write(folder.At("set"), SyntheticFeatureSet.Photos(12, ["cat", "dog"], "train", "validation"));
        string[] compare = ["compare", "--features", set, "--heads", "softmax,linear-svm"];
        var more = TransferProcess.Run([.. compare, "--few-shot", "1", "2", "4", "--draws", "3", "--check-data", "--calibrate"]);
        Assert.Equal(0, more.ExitCode);
        Assert.Matches(@"(?m)^few-shot softmax: 0\.\d{3} with 1, 0\.\d{3} with 2, [01]\.\d{3} with 4 per class \(3 draws\)$", more.Output);
        Assert.Matches(@"(?m)^calibration softmax: error 0\.\d{3}, 0\.\d{3} at temperature \S+$", more.Output);
        Assert.Matches(
            @"(?m)^data: near-duplicates \d+, suspect labels \d+, outliers \d+; --report FILE and --json list them$",
            more.Output
        );
        Assert.DoesNotContain("few-shot", TransferProcess.Run(compare).Output, StringComparison.Ordinal);
    }
}
