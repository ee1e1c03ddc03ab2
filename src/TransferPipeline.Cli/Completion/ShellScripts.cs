namespace TransferPipeline.Cli.Completion;

/// <summary>Scripts with which shells ask <c>transfer [suggest:POSITION] LINE</c>; where that prints nothing they offer files.</summary>
/// <remarks>With a terminal as stdin .NET would switch its keys to another mode.</remarks>
internal static class ShellScripts
{
    public static readonly string[] Shells = ["bash", "zsh", "fish", "powershell"];

    public static string Of(string shell) =>
        shell switch
        {
            "bash" => Bash,
            "zsh" => Zsh,
            "fish" => Fish,
            _ => PowerShell,
        };

    private const string Bash = """
        # transfer: completion for bash. Add to ~/.bashrc:  eval "$(transfer completion bash)"
        _transfer() {
          local IFS=$'\n' word=${COMP_LINE:0:COMP_POINT} found item
          word=${word##* }
          # The program's name as it was typed, in which bash has not replaced a tilde.
          found=$("${COMP_WORDS[0]/#\~\//$HOME/}" "[suggest:$COMP_POINT]" "$COMP_LINE" </dev/null 2>/dev/null)
          COMPREPLY=()
          for item in $found; do
            # What bash takes for the current word begins after the last '=' or ':'.
            [[ $item == "$word"* ]] && COMPREPLY+=("${item:$(( ${#word} - ${#COMP_WORDS[COMP_CWORD]} ))}")
          done
        }
        complete -o default -F _transfer transfer
        """;

    private const string Zsh = """
        #compdef transfer
        # transfer: completion for zsh. Add to ~/.zshrc after compinit:  eval "$(transfer completion zsh)"
        _transfer() {
          # Not BUFFER, which also has the commands before this one.
          local line="${(j: :)words[1,CURRENT-1]} $PREFIX"
          local -a found
          found=("${(@f)$(${~words[1]} "[suggest:${#line}]" "$line" </dev/null 2>/dev/null)}")
          if [[ -n "$found" ]]; then compadd -- "${found[@]}"; else _files; fi
        }
        compdef _transfer transfer
        """;

    private const string Fish = """
        # transfer: completion for fish. Save as ~/.config/fish/completions/transfer.fish:  transfer completion fish
        function __transfer_complete
          set -l line (commandline -cp)
          set -l program (string replace -r '^~/' "$HOME/" -- (commandline -opc)[1])
          $program "[suggest:"(string length -- "$line")"]" "$line" </dev/null 2>/dev/null
        end
        complete -c transfer -a '(__transfer_complete)'
        """;

    // PowerShell's line begins and ends with the command's words; the position counts what stands before it and the blanks behind it.
    private const string PowerShell = """
        # transfer: completion for PowerShell. Add to $PROFILE:
        #   transfer completion powershell | Out-String | Invoke-Expression
        Register-ArgumentCompleter -Native -CommandName transfer -ScriptBlock {
          param($word, $line, $position)
          $position -= $line.Extent.StartOffset
          $typed = $line.ToString().PadRight($position)
          $found = & $line.CommandElements[0].Extent.Text "[suggest:$position]" $typed 2>$null
          $found | Where-Object { $_ -like "$word*" } | ForEach-Object {
            [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
          }
        }
        """;
}
