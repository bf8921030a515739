"""``make demo``: the whole story, hands-free, against freshly started real processes."""

import asyncio
import time

from rich.console import Console

from bianmin.demo.stage import stage
from bianmin.demo.story import tell
from bianmin.demo.telling import StoryBroken, Teller


def main() -> int:
    """Play the story; 0 when all of it came true, 1 otherwise."""
    return asyncio.run(_main(Console(highlight=False, soft_wrap=True)))


async def _main(console: Console) -> int:
    began = time.monotonic()
    console.print("[bold]便民 · 从第一声“你好”到最后一条短信[/bold]")
    console.print("启动引擎、沙盒、服务和投递进程……")
    async with stage(console) as place:
        try:
            await tell(place, Teller(console))
        except (StoryBroken, OSError, RuntimeError, LookupError) as problem:
            console.print(f"\n[red bold]没有演完：{problem}[/red bold]")
            console.print(f"日志在 {place.plan.settings.data_dir}/log")
            for log in ("service", "worker"):
                path = place.plan.settings.data_dir / "log" / f"{log}.log"
                console.print(path.read_text()[-2000:], markup=False)
            return 1
    console.print(f"\n[green bold]全部演完，用时 {time.monotonic() - began:.0f} 秒。[/green bold]")
    return 0
