using TransferPipeline.Reports;

namespace TransferPipeline.Tests.Reports;

public sealed class HtmlTests
{
    [Theory]
    [InlineData("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)&gt;")]
    [InlineData("a & b \"c\" 'd'", "a &amp; b &quot;c&quot; &#39;d&#39;")]
    [InlineData("tab\tline\nend", "tab\tline\nend")]
    [InlineData("\0\u001B\u0085", "\uFFFD\uFFFD\uFFFD")]
    [InlineData("قميص\u202Egpj.exe\u2066", "قميص\uFFFDgpj.exe\uFFFD")]
    [InlineData("😀", "😀")]
    public void A_hole_is_escaped(string text, string expected) => Assert.Equal(expected, new Html().Add($"{text}").ToString());

    [Fact]
    public void Lone_surrogates_become_the_replacement_character()
    {
        Assert.Equal("\uFFFDx", new Html().Add($"{"\uD83Dx"}").ToString());
        Assert.Equal("x\uFFFD", new Html().Add($"{"x\uDE00"}").ToString());
        Assert.Equal("x\uFFFD", new Html().Add($"{"x\uD83D"}").ToString());
    }

    [Fact]
    public void Markup_and_parts_go_in_as_they_are()
    {
        var part = new Html().Add($"<b>{"<"}</b>");

        Assert.Equal("<p><b>&lt;</b>7 1.3</p>", new Html().Add($"<p>{part}{7} {1.26}</p>").ToString());
    }

    [Theory]
    [InlineData(0.00042, "420 µs")]
    [InlineData(0.0999, "99.9 ms")]
    [InlineData(1, "1.00 s")]
    [InlineData(59.96, "60.0 s")]
    [InlineData(150, "2.50 min")]
    [InlineData(7200, "2.00 h")]
    [InlineData(double.NaN, "–")]
    public void Seconds_have_three_digits_and_a_unit(double seconds, string expected) => Assert.Equal(expected, Figures.Seconds(seconds));

    [Theory]
    [InlineData("short", 10, "short")]
    [InlineData("a long name", 6, "a lon…")]
    [InlineData("abcd😀ef", 6, "abcd…")]
    public void Short_never_splits_a_character(string name, int most, string expected) => Assert.Equal(expected, Figures.Short(name, most));
}
