# SPDX-License-Identifier: Apache-2.0
# Written by `edgemoe completion`.
_edgemoe() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
  local path='' choices='' takes_file='' i
  local commands=' |complete|chat|tokenize|detokenize|template|score|embed|plan|stats|resize|probe|ps|abort|models|models ls|models show|models add|models rm|pull|pack|trace|trace record|trace replay|completion|completion bash|completion zsh|completion fish|manual|'
  for ((i = 1; i < COMP_CWORD; ++i)); do
    local longer=${path:+$path }${COMP_WORDS[i]}
    [[ $commands == *"|$longer|"* ]] && path=$longer
  done
  case "$path $before" in
    'complete -f'|'complete --file'|'chat --tools'|'tokenize -f'|'tokenize --file'|'score -f'|'score --file'|'pack -o'|'pack --output'|'pack --calibration'|'trace record -o'|'trace record --output') mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    *' -s'|*' --socket'|*' --address'|*' --wait'|'complete --prompt-tokens'|'complete -m'|'complete --model'|'complete -t'|'complete --temperature'|'complete --top-k'|'complete --top-p'|'complete --min-p'|'complete --repetition-penalty'|'complete --presence-penalty'|'complete --frequency-penalty'|'complete --penalty-last-n'|'complete --seed'|'complete --logit-bias'|'complete -n'|'complete --max-tokens'|'complete --stop'|'complete --stop-token'|'complete --time-limit'|'complete --logprobs'|'chat --system'|'chat --message'|'chat --reasoning-effort'|'chat --reasoning-limit'|'chat --var'|'chat -m'|'chat --model'|'chat -t'|'chat --temperature'|'chat --top-k'|'chat --top-p'|'chat --min-p'|'chat --repetition-penalty'|'chat --presence-penalty'|'chat --frequency-penalty'|'chat --penalty-last-n'|'chat --seed'|'chat --logit-bias'|'chat -n'|'chat --max-tokens'|'chat --stop'|'chat --stop-token'|'chat --time-limit'|'chat --logprobs'|'tokenize -m'|'tokenize --model'|'detokenize -m'|'detokenize --model'|'template --system'|'template --reasoning-effort'|'template --var'|'template -m'|'template --model'|'score --window'|'score --logprobs'|'score -m'|'score --model'|'embed --pooling'|'embed -m'|'embed --model'|'plan -m'|'plan --model'|'plan --budget'|'plan --context'|'plan --sessions'|'pull --rate-limit'|'pull --reserve'|'pack --bits'|'pack --size'|'pack --max-kl'|'pack --max-ppl-increase'|'pack --method'|'pack --granularity'|'pack --memory'|'trace record --steps'|'trace record --seconds') COMPREPLY=(); return ;;
  esac
  case $path in
    '') choices='complete chat tokenize detokenize template score embed plan stats resize probe ps abort models pull pack trace completion manual -h --help --version -s --socket --address --json -v --verbose --wait' ;;
    'complete') choices='-h --help -f --file --prompt-tokens -m --model -t --temperature --top-k --top-p --min-p --repetition-penalty --presence-penalty --frequency-penalty --penalty-last-n --seed --logit-bias -n --max-tokens --stop --stop-token --time-limit --ignore-end --logprobs' ;;
    'chat') choices='-h --help --system --message --tools --yes --think --no-think --reasoning-effort --reasoning-limit --var -m --model -t --temperature --top-k --top-p --min-p --repetition-penalty --presence-penalty --frequency-penalty --penalty-last-n --seed --logit-bias -n --max-tokens --stop --stop-token --time-limit --ignore-end --logprobs' ;;
    'tokenize') choices='-h --help -f --file -m --model --no-special --plain' ;;
    'detokenize') choices='-h --help -m --model --no-special' ;;
    'template') choices='-h --help --system --no-generation-prompt --think --no-think --reasoning-effort --var -m --model' ;;
    'score') choices='-h --help -f --file --window --logprobs -m --model' ;;
    'embed') choices='-h --help --pooling --raw -m --model' ;;
    'plan') choices='-h --help -m --model --budget --context --sessions' ;;
    'stats') choices='-h --help' ;;
    'resize') choices='-h --help' ;;
    'probe') choices='-h --help --fresh' ;;
    'ps') choices='-h --help' ;;
    'abort') choices='-h --help' ;;
    'models') choices='ls show add rm -h --help' ;;
    'models ls') choices='-h --help' ;;
    'models show') choices='-h --help' ;;
    'models add') choices='-h --help' takes_file=1 ;;
    'models rm') choices='-h --help -y --yes' ;;
    'pull') choices='-h --help --rate-limit --reserve --allow-private-redirects --cancel' ;;
    'pack') choices='-h --help -o --output --overwrite --bits --size --max-kl --max-ppl-increase --method --granularity --calibration --plan --memory' ;;
    'trace') choices='record replay -h --help' ;;
    'trace record') choices='-h --help -o --output --steps --seconds' ;;
    'trace replay') choices='' ;;
    'completion') choices='bash zsh fish -h --help' ;;
    'completion bash') choices='-h --help' ;;
    'completion zsh') choices='-h --help' ;;
    'completion fish') choices='-h --help' ;;
    'manual') choices='-h --help' ;;
  esac
  [[ -z $path ]] || choices+=' -h --help --version -s --socket --address --json -v --verbose --wait'
  mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$word")
  if [[ -n $takes_file && $word != -* ]]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
}
complete -o filenames -F _edgemoe edgemoe
