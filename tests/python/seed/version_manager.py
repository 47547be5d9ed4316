import requests
import json
from datetime import datetime

class HolySheepVersionManager:
    def __init__(self, api_key: str):
        self.base_url = "https://api.holysheep.ai/v1"
        self.api_key = api_key

    def list_versions(self, model: str = "gpt-4") -> list:
        """ดึงรายการ version ทั้งหมดของ model ที่ระบุ"""
        response = requests.get(
            f"{self.base_url}/models/{model}/versions",
            headers={"Authorization": f"Bearer {self.api_key}"}
        )
        return response.json()

    def create_version_tag(self, model: str, version_id: str, tag: str):
        """สร้าง tag สำหรับ version เช่น 'stable', 'beta', 'legacy'"""
        payload = {"version_id": version_id, "tag": tag}
        response = requests.post(
            f"{self.base_url}/models/{model}/versions/tag",
            headers={
                "Authorization": f"Bearer {self.api_key}",
                "Content-Type": "application/json"
            },
            json=payload
        )
        return response.json()

    def rollback_to_version(self, model: str, target_version: str) -> dict:
        """Rollback ไป version ที่ระบุทันที"""
        payload = {"action": "rollback", "target_version": target_version}
        response = requests.post(
            f"{self.base_url}/models/{model}/deploy",
            headers={
                "Authorization": f"Bearer {self.api_key}",
                "Content-Type": "application/json"
            },
            json=payload
        )
        result = response.json()
        print(f"Rollback to {target_version}: {result['status']}")
        return result

# ใช้งาน Version Manager
manager = HolySheepVersionManager("YOUR_HOLYSHEEP_API_KEY")

# ดู version ทั้งหมด
versions = manager.list_versions("gpt-4")
for v in versions:
    print(f"Version: {v['id']} | Tag: {v['tag']} | Created: {v['created_at']}")

# Rollback กลับไป version stable ล่าสุด
manager.rollback_to_version("gpt-4", "stable-v2024.03.15")
