# วิธีแก้ไข: Re-generate API key ใหม่หลังจาก rollback
import requests

def fix_after_rollback():
    # ดึง key ใหม่ที่ compatible กับ target version
    response = requests.post(
        "https://api.holysheep.ai/v1/auth/regenerate-key",
        headers={"Authorization": "Bearer YOUR_HOLYSHEEP_API_KEY"},
        json={"version": "stable-v2024.03.15"}
    )
    if response.status_code == 200:
        new_key = response.json()["api_key"]
        print(f"New API key generated: {new_key[:8]}...")
        return new_key
    else:
        print(f"Error: {response.json()}")
        return None

# ใช้ key ใหม่แทน key เดิม
new_api_key = fix_after_rollback()
