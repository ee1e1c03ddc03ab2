using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;

namespace TransferPipeline.Tests;

/// <summary>The files for the hosts that build the repository run what a user runs: make, and dotnet on Windows.</summary>
public sealed partial class ContinuousIntegrationTests
{
    private static readonly string[] CommandKeys = ["run", "script", "bash", "before_script"];

    [Theory]
    [InlineData(".github/workflows/build.yml")]
    [InlineData(".gitlab-ci.yml")]
    [InlineData("azure-pipelines.yml")]
    public void Commands_AreThoseOfMake(string file)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(File.ReadAllText(Path.Combine(SharedData.Repository, file))));
        string[] commands = [.. Commands(yaml.Documents.Single().RootNode)];
        var targets = File.ReadLines(Path.Combine(SharedData.Repository, "Makefile"))
            .Select(line => Target().Match(line))
            .Where(match => match.Success)
            .Select(match => match.Groups[1].Value)
            .ToHashSet(StringComparer.Ordinal);
        string[] made = [.. commands.SelectMany(command => Made().Matches(command)).Select(match => match.Groups[1].Value)];
        Assert.Equal(["format-check", "pack", "test", "test-pack"], made.Distinct().Order(StringComparer.Ordinal));
        Assert.Subset(targets, made.ToHashSet(StringComparer.Ordinal));
        Assert.All(
            commands.Where(command => !Made().IsMatch(command)),
            command =>
                Assert.True(
                    command == "dotnet test -c Release" || command.StartsWith("dotnet nuget push ", StringComparison.Ordinal),
                    command
                )
        );
    }

    private static IEnumerable<string> Commands(YamlNode node) =>
        node switch
        {
            YamlMappingNode map => map.Children.SelectMany(pair =>
                CommandKeys.Contains(pair.Key.ToString()) ? Texts(pair.Value) : Commands(pair.Value)
            ),
            YamlSequenceNode list => list.SelectMany(Commands),
            _ => [],
        };

    private static IEnumerable<string> Texts(YamlNode node) =>
        node is YamlSequenceNode list ? list.SelectMany(Texts) : [((YamlScalarNode)node).Value!.Trim()];

    [GeneratedRegex(@"^([a-z-]+):")]
    private static partial Regex Target();

    [GeneratedRegex(@"\bmake ([a-z-]+)")]
    private static partial Regex Made();
}
