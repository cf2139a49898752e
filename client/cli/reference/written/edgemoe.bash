# SPDX-License-Identifier: Apache-2.0
# Written by `edgemoe completion`.
_edgemoe() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
  local path='' choices='' takes_file='' i
  local commands=' |setup|complete|chat|tokenize|detokenize|template|score|embed|plan|stats|health|resize|probe|doctor|ps|abort|models|models ls|models show|models add|models rm|pull|pack|trace|trace record|trace replay|completion|completion bash|completion zsh|completion fish|manual|'
  for ((i = 1; i < COMP_CWORD; ++i)); do
    local longer=${path:+$path }${COMP_WORDS[i]}
    [[ $commands == *"|$longer|"* ]] && path=$longer
  done
  case "$path $before" in
    'complete -f'|'complete --file'|'chat --tools'|'tokenize -f'|'tokenize --file'|'score -f'|'score --file'|'pack -o'|'pack --output'|'pack --calibration'|'trace record -o'|'trace record --output') mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    *' -s'|*' --socket'|*' --address'|*' --wait'|'setup -m'|'setup --model'|'setup --budget'|'setup --config-folder'|'complete --prompt-tokens'|'complete -m'|'complete --model'|'complete -t'|'complete --temperature'|'complete --top-k'|'complete --top-p'|'complete --min-p'|'complete --repetition-penalty'|'complete --presence-penalty'|'complete --frequency-penalty'|'complete --penalty-last-n'|'complete --seed'|'complete --logit-bias'|'complete -n'|'complete --max-tokens'|'complete --time-limit'|'complete --stop'|'complete --stop-token'|'complete --logprobs'|'chat --system'|'chat --message'|'chat --reasoning-effort'|'chat --reasoning-limit'|'chat --var'|'chat -m'|'chat --model'|'chat -t'|'chat --temperature'|'chat --top-k'|'chat --top-p'|'chat --min-p'|'chat --repetition-penalty'|'chat --presence-penalty'|'chat --frequency-penalty'|'chat --penalty-last-n'|'chat --seed'|'chat --logit-bias'|'chat -n'|'chat --max-tokens'|'chat --time-limit'|'chat --stop'|'chat --stop-token'|'chat --logprobs'|'tokenize -m'|'tokenize --model'|'detokenize -m'|'detokenize --model'|'template --system'|'template --reasoning-effort'|'template --var'|'template -m'|'template --model'|'score --window'|'score --logprobs'|'score -m'|'score --model'|'embed --pooling'|'embed -m'|'embed --model'|'plan -m'|'plan --model'|'plan --budget'|'plan --context'|'plan --sessions'|'pull --rate-limit'|'pull --reserve'|'pull --pack'|'pull --bits'|'pull --size'|'pull --max-kl'|'pull --max-ppl-increase'|'pack --bits'|'pack --size'|'pack --max-kl'|'pack --max-ppl-increase'|'pack --method'|'pack --granularity'|'pack --memory'|'trace record --steps'|'trace record --seconds') COMPREPLY=(); return ;;
  esac
  case $path in
    '') choices='setup complete chat tokenize detokenize template score embed plan stats health resize probe doctor ps abort models pull pack trace completion manual -h --help --version -s --socket --address --json -v --verbose --wait' ;;
    'setup') choices='-h -m --model --budget -y --yes --no-start --config-folder' ;;
    'complete') choices='-h -f --file --prompt-tokens -m --model -t --temperature --top-k --top-p --min-p --repetition-penalty --presence-penalty --frequency-penalty --penalty-last-n --seed --logit-bias -n --max-tokens --time-limit --ignore-end --stop --stop-token --logprobs' ;;
    'chat') choices='-h --system --message --tools --yes --think --no-think --reasoning-effort --reasoning-limit --var -m --model -t --temperature --top-k --top-p --min-p --repetition-penalty --presence-penalty --frequency-penalty --penalty-last-n --seed --logit-bias -n --max-tokens --time-limit --ignore-end --stop --stop-token --logprobs' ;;
    'tokenize') choices='-h -f --file -m --model --no-special --plain' ;;
    'detokenize') choices='-h -m --model --no-special' ;;
    'template') choices='-h --system --no-generation-prompt --think --no-think --reasoning-effort --var -m --model' ;;
    'score') choices='-h -f --file --window --logprobs -m --model' ;;
    'embed') choices='-h --pooling --raw -m --model' ;;
    'plan') choices='-h -m --model --budget --context --sessions' ;;
    'stats') choices='-h' ;;
    'health') choices='-h --alive' ;;
    'resize') choices='-h' ;;
    'probe') choices='-h --fresh' ;;
    'doctor') choices='-h' ;;
    'ps') choices='-h' ;;
    'abort') choices='-h' ;;
    'models') choices='ls show add rm -h' ;;
    'models ls') choices='-h' ;;
    'models show') choices='-h' ;;
    'models add') choices='-h' takes_file=1 ;;
    'models rm') choices='-h -y --yes' ;;
    'pull') choices='-h --rate-limit --reserve --allow-private-redirects --pack --bits --size --max-kl --max-ppl-increase --cancel' ;;
    'pack') choices='-h -o --output --overwrite --bits --size --max-kl --max-ppl-increase --method --granularity --calibration --plan --memory' ;;
    'trace') choices='record replay -h' ;;
    'trace record') choices='-h -o --output --steps --seconds' ;;
    'trace replay') choices='' ;;
    'completion') choices='bash zsh fish -h' ;;
    'completion bash') choices='-h' ;;
    'completion zsh') choices='-h' ;;
    'completion fish') choices='-h' ;;
    'manual') choices='-h' ;;
  esac
  [[ -z $path ]] || choices+=' -h --help --version -s --socket --address --json -v --verbose --wait'
  mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$word")
  if [[ -n $takes_file && $word != -* ]]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
}
complete -o filenames -F _edgemoe edgemoe
