# วิธีแก้ไข: Re-tag version หลังจาก rollback
import requests

def restore_version_tags(model: str):
    # ดึงรายการ version ที่มี tag อยู่ก่อน rollback
    stable_tags = {
        "gpt-4": "stable-v2024.03.15",
        "claude-sonnet": "stable-v4.3"
    }

    for m, tag in stable_tags.items():
        requests.post(
            f"https://api.holysheep.ai/v1/models/{m}/versions/tag",
            headers={
                "Authorization": "Bearer YOUR_HOLYSHEEP_API_KEY",
                "Content-Type": "application/json"
            },
            json={
                "version_id": tag,
                "tag": "stable",
                "preserve_previous": True  # สำคัญ: เก็บ history
            }
        )
        print(f"Restored tag 'stable' for {m}")

restore_version_tags("gpt-4")
